"""The training loop: the same for every stage.

A step is a fixed number of micro-batches, numbered slots; the ranks share them out, and every batch is a function of
step and slot. So neither a kill nor another number of ranks changes what is learnt.
"""

import os
import signal
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed as dist
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import write_json
from dreamactor_core.spooled_run import RUN_ID
from torch import Tensor

from dreamactor_model.training.checkpoints.commit import clear_leftovers, step_of
from dreamactor_model.training.checkpoints.fragment_files import SUFFIX, read_fragments
from dreamactor_model.training.checkpoints.fragments import MOMENTS, HeldState
from dreamactor_model.training.checkpoints.saver import CheckpointSaver, require_space
from dreamactor_model.training.checkpoints.state import TrainingState
from dreamactor_model.training.randomness import step_generator
from dreamactor_model.training.run.ema import WeightAverage
from dreamactor_model.training.run.journal import Journal
from dreamactor_model.training.run.meters import Meters
from dreamactor_model.training.run.prefetch import prefetched
from dreamactor_model.training.spec import CHECKPOINTS, FINAL_METRICS, HEARTBEAT, VIDEOS, TrainingSpec
from dreamactor_model.training.stages import stage_settings
from dreamactor_model.training.task import Batch, MakesVideos, StageTask


class TrainingLoop:
    """Trains one stage from its start, or from a checkpoint, to its finished weights.

    Args:
        engine: DeepSpeed's, around `task.module`.
        journal: on rank 0 only.
    """

    def __init__(self, spec: TrainingSpec, task: StageTask, engine: Any, journal: Journal | None) -> None:
        self._spec, self._task, self._engine, self._journal = spec, task, engine, journal
        self._training = spec.parsed_settings().training
        self._row = stage_settings(self._training, spec.stage)
        self._rank, self._world = dist.get_rank(), dist.get_world_size()
        # Neighbouring ranks may share the tokens of one clip: they work on the same slots.
        shared_by = self._training.sequence_parallel
        self._slots = range(self._rank // shared_by, self._training.micro_batches, self._world // shared_by)
        self._held = HeldState(engine)
        self._average = WeightAverage(self._held, self._training.ema_decay)
        self._checkpoints = spec.work_dir / CHECKPOINTS
        self._saver = CheckpointSaver(
            self._checkpoints,
            self._held.written,
            rank=self._rank,
            world=self._world,
            keep_last=self._training.keep_checkpoints,
            keep_every=self._training.keep_every,
        )
        self._stop_asked = False
        # Told again only when it has doubled.
        self._data_wait_told = 0.0
        self._saved_step = 0

    def run(self) -> bool:
        """Train. Returns False when a SIGTERM came between: then a checkpoint was saved instead of finished weights.

        Raises:
            TrainingError: the loss is not finite, the checkpoint cannot be used, or one cannot be written.
        """
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        step = self._resume()
        self._require_space()
        try:
            finished = self._train(step)
        finally:
            # Whatever went wrong: the save under way is of a step that went well.
            self._saver.wait()
        self._agree(broken=False, step=self._row.steps)
        if finished:
            self._finish()
        return finished

    def _train(self, step: int) -> bool:
        """From a step to the end. Returns whether it came there."""
        meters = Meters(self._engine.device)
        places = ((later, slot) for later in range(step, self._row.steps) for slot in self._slots)
        batches = prefetched(self._task, places)
        while step < self._row.steps:
            meters.start_step()
            losses = self._learn(step, batches, meters)
            if losses is None:
                self._save(step)
                return False
            step += 1
            meters.end_step(losses)
            self._report(step, meters)
            self._make_video(step)
            if step % self._training.checkpoint_every == 0 or step == self._row.steps:
                self._save(step)
        return True

    def _learn(self, step: int, batches: Iterator[Batch], meters: Meters) -> dict[str, Tensor] | None:
        """One optimizer step. Returns its mean losses, or None when it was asked to stop and learnt nothing."""
        sums: dict[str, Tensor] = {}
        for slot in self._slots:
            batch = {name: tensor.to(self._engine.device) for name, tensor in next(batches).items()}
            meters.data_ready()
            self._seed_generators(step, slot)
            losses = self._engine(**batch)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value.detach().float() / len(self._slots)
            if slot == self._slots[-1] and self._agree(broken=not bool(torch.isfinite(sums["loss"])), step=step):
                return None
            self._engine.backward(losses["loss"])
            self._engine.step()
        self._average.update(step + 1)
        return sums

    def _seed_generators(self, step: int, slot: int) -> None:
        """Torch's own generators too become functions of step and slot: nothing of them needs to be saved."""
        torch.manual_seed(step_generator(self._training.seed, step, slot).initial_seed())

    def _ask_to_stop(self, number: int, frame: object) -> None:  # noqa: ARG002 - the signature is Python's
        self._stop_asked = True

    def _agree(self, *, broken: bool, step: int) -> bool:
        """Ask all ranks: one that leaves alone would let the others wait for ever. Returns whether to stop.

        Raises:
            TrainingError: on all ranks, when one has a loss that is not finite or could not save.
        """
        if broken:
            clips = ", ".join(name for slot in self._slots for name in self._task.sample_ids(step, slot))
            print(f"rank {self._rank}: the loss is not finite at step {step} with clips {clips}", flush=True)
        unsaved = self._saver.failure is not None
        votes = torch.tensor([float(broken), float(unsaved), float(self._stop_asked)], device=self._engine.device)
        dist.all_reduce(votes, dist.ReduceOp.MAX)
        if votes[0]:
            raise TrainingError(
                f"the loss of stage {self._spec.stage} is not finite at step {step}",
                path=self._spec.work_dir,
                remedy="The log names the clips; lower the learning rate or remove them",
            )
        if votes[1]:
            raise self._saver.failure or TrainingError("another rank could not save", path=self._checkpoints)
        return bool(votes[2])

    def _report(self, step: int, meters: Meters) -> None:
        if self._journal is not None:
            # Its age tells the launcher that the ranks are alive: they wait for each other at every step.
            os.utime(self._spec.work_dir / HEARTBEAT)
        if step % self._training.log_every and step != self._row.steps:
            return
        values = meters.means(self._engine, batch=self._row.batch, micro_batches=self._training.micro_batches)
        if self._journal is None:
            return
        self._journal.record(step, values)
        if values["data_wait_share"] > max(self._training.data_wait_warning, 2 * self._data_wait_told):
            self._data_wait_told = values["data_wait_share"]
            self._journal.milestone(f"step {step}: {self._data_wait_told:.0%} of the time goes into waiting for data")

    def _make_video(self, step: int) -> None:
        """At intervals, by the averaged weights: those that will be used."""
        every = self._training.validate_every
        if every is None or step % every or not isinstance(self._task, MakesVideos):
            return
        path = self._spec.work_dir / VIDEOS / f"step-{step:06d}.mp4"
        with self._average.in_place_of_weights(self._task.module):
            self._task.module.eval()
            self._task.make_video(path if self._rank == 0 else None)
            self._task.module.train()
            dist.barrier()
        if self._journal is not None:
            self._journal.video(path)

    def _resume(self) -> int:
        """The step to go on from, with weights, moments and averages restored."""
        checkpoint = self._spec.checkpoint
        if self._rank == 0:
            clear_leftovers(self._checkpoints)
            (self._spec.work_dir / HEARTBEAT).touch()
        # Other nodes do not look for checkpoints themselves: what they saw might be something else by now.
        found = torch.tensor([-1 if checkpoint is None else step_of(checkpoint)], device=self._engine.device)
        dist.broadcast(found, src=0)
        if found.item() < 0:
            return 0
        checkpoint = self._checkpoints / f"step-{found.item()}"
        state = TrainingState.read(checkpoint, configuration=self._spec.configuration)
        self._held.restore_steps(state.step)
        read_fragments(sorted(checkpoint.glob(f"rank-*{SUFFIX}")), self._held.fragments, self._kinds())
        self._held.publish()
        self._engine.lr_scheduler.load_state_dict(state.schedule)
        for group, rate in zip(self._engine.basic_optimizer.param_groups, state.schedule["_last_lr"], strict=True):
            group["lr"] = rate
        if self._journal is not None:
            self._journal.milestone(f"goes on from step {state.step}")
        self._saved_step = state.step
        return state.step

    def _kinds(self) -> dict[str, list[Tensor]]:
        """The flat tensors that a checkpoint holds, by what they are."""
        moments = {name: self._held.moments(name) for name in MOMENTS}
        return {"weights": self._held.weights, "averages": self._average.flats, **moments}

    def _require_space(self) -> None:
        """On all ranks alike: they share the folder, and each counts what all of them will write."""
        kinds = 2 + len(MOMENTS)
        written = torch.tensor([float(sum(4 * kinds * fragment.count for fragment in self._held.written))])
        written = written.to(self._engine.device)
        dist.all_reduce(written)
        training = self._training
        saves = -(-self._row.steps // training.checkpoint_every)
        kept = self._row.steps // training.keep_every if training.keep_every else 0
        at_once = min(saves, training.keep_checkpoints + kept) + 1
        require_space(self._checkpoints, int(written.item()), count=at_once)

    def _save(self, step: int) -> None:
        if step == self._saved_step:
            return
        self._saved_step = step
        known = self._spec.work_dir / RUN_ID
        state = TrainingState(
            configuration=self._spec.configuration,
            step=step,
            micro_batches=step * self._training.micro_batches,
            seed=self._training.seed,
            ranks=self._world,
            schedule=self._engine.lr_scheduler.state_dict(),
            mlflow_run=known.read_text() if known.exists() else None,
        )
        self._saver.save(step, self._kinds(), state.model_dump())

    def _finish(self) -> None:
        with self._average.in_place_of_weights(self._task.module):
            if self._rank == 0:
                self._task.module.eval()
                final = dict(self._task.save(self._spec.output))
                write_json(self._spec.work_dir / FINAL_METRICS, final)
            dist.barrier()
