"""One rank of a training run: `torchrun -m dreamactor_model.training.run.trainer SPEC.json`.

Started by `launch`, never by hand.
The only module that needs DeepSpeed; no other process imports it.
"""

import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from dreamactor_core.children import die_with_parent
from dreamactor_core.errors import DreamactorError, TrainingError
from dreamactor_core.files import write_json
from dreamactor_core.settings.training import TrainingSettings

from dreamactor_model.training.run.engine import join_ranks, make_engine
from dreamactor_model.training.run.journal import Journal
from dreamactor_model.training.run.loop import TrainingLoop
from dreamactor_model.training.spec import ENGINE, FAILURE, JOURNAL, TrainingSpec
from dreamactor_model.training.stages import stage_settings
from dreamactor_model.training.task import StageTask

USER_ERROR, STOPPED = 2, 3


def main(spec_path: Path) -> int:
    """Train as the specification says. Returns the exit status: 0 finished, 2 a typed error, 3 stopped on request."""
    die_with_parent()
    spec = TrainingSpec.read(spec_path)
    try:
        if _train(spec):
            return 0
        _leave_reason(spec, f"stage {spec.stage} was stopped and saved; repeat the command to go on")
        return STOPPED
    except DreamactorError as error:
        _leave_reason(spec, error.line())
        return USER_ERROR
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        first_line = str(error).partition("\n")[0]
        _leave_reason(spec, f"memory ran out: {first_line or type(error).__name__}", out_of_memory=True)
        return USER_ERROR


def _is_out_of_memory(error: Exception) -> bool:
    """PyTorch's allocator on a CPU raises a plain RuntimeError."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _leave_reason(spec: TrainingSpec, problem: str, *, out_of_memory: bool = False) -> None:
    """For the launcher, which sees only that a rank failed. Any rank may write it: the reason is the same."""
    write_json(spec.work_dir / FAILURE, {"problem": problem, "out_of_memory": out_of_memory})
    print(f"error: {problem}", flush=True)


def _train(spec: TrainingSpec) -> bool:
    settings = spec.parsed_settings()
    row = stage_settings(settings.training, spec.stage)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(settings.training.seed)
    require_accelerators(settings.training)
    join_ranks()
    task = make_task(spec)
    engine = make_engine(task.module, settings.training, row, record=spec.work_dir / ENGINE)
    journal = Journal(spec.work_dir / JOURNAL, title=spec.title, steps=row.steps) if dist.get_rank() == 0 else None
    return TrainingLoop(spec, task, engine, journal).run()


def require_accelerators(training: TrainingSettings) -> None:
    """See to it that every rank of this machine has its GPU, where there are any or GPUs are asked for.

    Raises:
        TrainingError: there are fewer than planned.
    """
    planned, found = int(os.environ["LOCAL_WORLD_SIZE"]), torch.cuda.device_count()
    if training.accelerator == "cpu" or (training.accelerator == "auto" and found == 0) or found >= planned:
        return
    raise TrainingError(
        f"{planned} GPUs are planned on this machine, {found} are here",
        remedy=f"Train with --processes {max(found, 1)}: the weights will be the same"
        if found
        else "Check the driver and CUDA_VISIBLE_DEVICES",
    )


def make_task(spec: TrainingSpec) -> StageTask:
    """What the stage trains."""
    if spec.stage == "vae":
        from dreamactor_model.training.vae.vae_stage import VideoVaeTask

        return VideoVaeTask.from_spec(spec)
    if spec.stage == "face":
        from dreamactor_model.training.face.face_stage import FaceTask

        return FaceTask.from_spec(spec)
    if spec.stage == "refiner":
        from dreamactor_model.training.refiner.refiner_stage import RefinerTask

        return RefinerTask.from_spec(spec)
    if spec.stage == "audio":
        from dreamactor_model.training.audio.audio_stage import AudioTask

        return AudioTask.from_spec(spec)
    from dreamactor_model.training.diffusion.diffusion_stage import DiffusionTask

    return DiffusionTask.from_spec(spec)


if __name__ == "__main__":
    status = main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    # Taking down the process group can abort a rank whose work is done ("terminate called"): the system does it better.
    os._exit(status)
