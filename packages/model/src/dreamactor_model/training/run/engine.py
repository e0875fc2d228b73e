"""DeepSpeed, set up so that nothing is compiled at start and the CPU works like a GPU."""

import os
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from dreamactor_core.files import write_json
from dreamactor_core.settings.training import Precision, StageSettings, TrainingSettings
from torch import nn

from dreamactor_model.plan.states import BUCKET_ELEMENTS
from dreamactor_model.training.run.schedule import learning_rate_share


def deepspeed_config(
    training: TrainingSettings, row: StageSettings, *, on_gpu: bool, ranks: int, learning: int
) -> dict[str, Any]:
    """DeepSpeed's configuration of a stage, generated: nothing of it is written by hand.

    Args:
        learning: elements of the parameters that learn.
    """
    # DeepSpeed refuses odd numbers.
    bucket = min(BUCKET_ELEMENTS, learning + learning % 2)
    zero: dict[str, Any] = {"stage": training.zero_stage, "reduce_bucket_size": bucket, "allgather_bucket_size": bucket}
    if training.zero_stage == 3:
        # Weights of one block at a time: what DeepSpeed would keep beyond that is for larger clusters.
        zero = {
            "stage": 3,
            "reduce_bucket_size": bucket,
            "stage3_prefetch_bucket_size": bucket,
            "stage3_max_live_parameters": bucket,
            "stage3_max_reuse_distance": bucket,
        }
    return {
        "train_micro_batch_size_per_gpu": row.batch,
        "gradient_accumulation_steps": training.micro_batches * training.sequence_parallel // ranks,
        "gradient_clipping": training.gradient_clip,
        "zero_optimization": zero,
        "bf16": {"enabled": computes_in_bfloat16(row.precision or training.precision, on_gpu=on_gpu)},
        "steps_per_print": 1_000_000_000,
        "wall_clock_breakdown": False,
    }


def computes_in_bfloat16(precision: Precision, *, on_gpu: bool) -> bool:
    """Unless said otherwise on GPUs only: CPUs without AMX are slower in it."""
    return on_gpu if precision == "auto" else precision == "bfloat16"


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


def make_engine(module: nn.Module, training: TrainingSettings, row: StageSettings, *, record: Path) -> Any:
    """A DeepSpeed engine over the parameters that learn. torch's AdamW, because DeepSpeed's own ones get compiled.

    Args:
        record: where rank 0 writes the generated configuration.
    """
    import deepspeed

    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    on_gpu = torch.cuda.is_available()
    config = deepspeed_config(
        training, row, on_gpu=on_gpu, ranks=dist.get_world_size(), learning=sum(p.numel() for p in learning)
    )
    if dist.get_rank() == 0:
        write_json(record, config)
    optimizer = torch.optim.AdamW(
        learning, lr=row.learning_rate, betas=(0.9, 0.95), weight_decay=training.weight_decay, fused=on_gpu
    )
    engine, _, _, _ = deepspeed.initialize(
        model=module,
        model_parameters=learning,
        optimizer=optimizer,
        lr_scheduler=torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_share(step, row)),
        config=config,
    )
    return engine
