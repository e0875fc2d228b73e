"""DeepSpeed, set up so that nothing is compiled at start and the CPU works like a GPU."""

import os
from typing import Any

import torch
import torch.distributed as dist
from dreamactor_core.settings.training import StageSettings, TrainingSettings
from torch import nn

from dreamactor_model.training.run.schedule import learning_rate_share


def deepspeed_config(training: TrainingSettings, row: StageSettings, *, on_gpu: bool, ranks: int) -> dict[str, Any]:
    """DeepSpeed's configuration of a stage. bf16 on GPUs only: CPUs without AMX are slower in it."""
    return {
        "train_micro_batch_size_per_gpu": row.batch,
        "gradient_accumulation_steps": training.micro_batches // ranks,
        "gradient_clipping": training.gradient_clip,
        "zero_optimization": {"stage": training.zero_stage},
        "bf16": {"enabled": on_gpu},
        "steps_per_print": 1_000_000_000,
        "wall_clock_breakdown": False,
    }


def join_ranks() -> None:
    """Meet the other ranks, as torchrun's environment says."""
    on_gpu = torch.cuda.is_available()
    os.environ.setdefault("DS_ACCELERATOR", "cuda" if on_gpu else "cpu")
    import deepspeed

    # Its shared-memory all-reduce is compiled at first use, for minutes; gloo serves.
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    deepspeed.init_distributed(dist_backend="nccl" if on_gpu else "gloo", verbose=False)


def make_engine(module: nn.Module, training: TrainingSettings, row: StageSettings) -> Any:
    """A DeepSpeed engine over the parameters that learn. torch's AdamW, because DeepSpeed's own ones get compiled."""
    import deepspeed

    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=row.learning_rate, betas=(0.9, 0.95), weight_decay=training.weight_decay)
    engine, _, _, _ = deepspeed.initialize(
        model=module,
        model_parameters=learning,
        optimizer=optimizer,
        lr_scheduler=torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_share(step, row)),
        config=deepspeed_config(training, row, on_gpu=torch.cuda.is_available(), ranks=dist.get_world_size()),
    )
    return engine
