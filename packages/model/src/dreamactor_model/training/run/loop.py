"""The training loop: the same for every stage."""

import signal
from typing import Any

import torch
import torch.distributed as dist
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import write_json
from safetensors.torch import load_file, save_file

from dreamactor_model.training.run.checkpoints import commit_checkpoint, find_checkpoint, open_checkpoint, step_of
from dreamactor_model.training.run.ema import WeightAverage
from dreamactor_model.training.run.journal import Journal
from dreamactor_model.training.run.meters import Meters
from dreamactor_model.training.spec import CHECKPOINTS, FINAL_METRICS, TrainingSpec
from dreamactor_model.training.stages import stage_settings
from dreamactor_model.training.task import Batch, StageTask

_ENGINE_TAG = "engine"
_EMA = "ema.safetensors"


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
        self._average = WeightAverage(task.module, self._training.ema_decay)
        self._checkpoints = spec.work_dir / CHECKPOINTS
        self._stop_asked = False

    def run(self) -> bool:
        """Train. Returns False when a SIGTERM came between: then a checkpoint was saved instead of finished weights.

        Raises:
            TrainingError: the loss is not finite, or the checkpoint asked for cannot be used.
        """
        signal.signal(signal.SIGTERM, self._ask_to_stop)
        step = self._resume()
        meters = Meters(self._engine.device)
        while step < self._row.steps:
            meters.start_step()
            batch = self._batch(step)
            meters.data_ready()
            losses = self._engine(**batch)
            if self._must_stop(losses["loss"], step):
                self._save(step)
                return False
            self._learn(losses["loss"], step)
            step += 1
            meters.end_step(losses)
            self._report(step, meters)
            if step % self._training.checkpoint_every == 0 or step == self._row.steps:
                self._save(step)
        self._finish()
        return True

    def _batch(self, step: int) -> Batch:
        batch = self._task.batch(step, self._rank)
        return {name: tensor.to(self._engine.device) for name, tensor in batch.items()}

    def _learn(self, loss: torch.Tensor, step: int) -> None:
        self._engine.backward(loss)
        self._engine.step()
        self._average.update(self._task.module, step + 1)

    def _ask_to_stop(self, number: int, frame: object) -> None:  # noqa: ARG002 - the signature is Python's
        self._stop_asked = True

    def _must_stop(self, loss: torch.Tensor, step: int) -> bool:
        """Ask all ranks: one that leaves alone would let the others wait for ever."""
        broken = not bool(torch.isfinite(loss))
        if broken:
            clips = ", ".join(self._task.sample_ids(step, self._rank))
            print(f"rank {self._rank}: loss {float(loss.detach())} at step {step} with clips {clips}", flush=True)
        votes = torch.tensor([float(broken), float(self._stop_asked)], device=self._engine.device)
        dist.all_reduce(votes, dist.ReduceOp.MAX)
        if votes[0]:
            raise TrainingError(
                f"the loss of stage {self._spec.stage} is not finite at step {step}",
                path=self._spec.work_dir,
                remedy="The log names the clips; lower the learning rate or remove them",
            )
        return bool(votes[1])

    def _report(self, step: int, meters: Meters) -> None:
        if step % self._training.log_every and step != self._row.steps:
            return
        values = meters.means(self._engine, batch=self._row.batch * self._world)
        if self._journal is not None:
            self._journal.record(step, values)

    def _resume(self) -> int:
        checkpoint = find_checkpoint(self._checkpoints, self._spec.resume)
        if checkpoint is None:
            return 0
        loaded, _ = self._engine.load_checkpoint(str(checkpoint), tag=_ENGINE_TAG)
        if loaded is None:
            raise TrainingError("DeepSpeed did not load the checkpoint", path=checkpoint)
        self._average.load(load_file(checkpoint / _EMA))
        step = step_of(checkpoint)
        if self._journal is not None:
            self._journal.milestone(f"goes on from step {step}")
        return step

    def _save(self, step: int) -> None:
        temporary = self._checkpoints / f"step-{step}.tmp"
        if self._rank == 0:
            open_checkpoint(self._checkpoints, step)
        dist.barrier()
        self._engine.save_checkpoint(str(temporary), tag=_ENGINE_TAG, save_latest=False)
        if self._rank == 0:
            save_file(self._average.state(), temporary / _EMA)
        dist.barrier()
        if self._rank == 0:
            commit_checkpoint(temporary, keep=self._training.keep_checkpoints)
        dist.barrier()

    def _finish(self) -> None:
        if self._rank == 0:
            self._average.copy_to(self._task.module)
            self._task.module.eval()
            final = dict(self._task.save(self._spec.output))
            write_json(self._spec.work_dir / FINAL_METRICS, final)
        dist.barrier()
