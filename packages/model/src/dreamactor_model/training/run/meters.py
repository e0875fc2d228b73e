"""What a step costs and gives, averaged over a log interval and over the ranks."""

import resource
import time
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from dreamactor_model.plan.gpus import device_tflops

TOKENS, FLOPS = "tokens", "flops"
"""Names under which a module says, beside its losses, what one micro-batch was worth."""
_GIB, _TERA = 2**30, 1e12


class Meters:
    """Collects losses and times of the steps since the last report.

    A loss may be a pair (sum, count) where not every batch has it; it is left out of a report without any.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._reset()

    def start_step(self) -> None:
        """The step begins with its data."""
        self._step_began = time.perf_counter()

    def data_ready(self) -> None:
        """The batch is there."""
        self._data_s += time.perf_counter() - self._step_began

    def end_step(self, losses: dict[str, Tensor]) -> None:
        """The optimizer has stepped."""
        for name, value in losses.items():
            pair = value.detach().float() if value.ndim else torch.stack([value.detach().float(), value.new_ones(())])
            self._sums[name] = self._sums.get(name, 0.0) + pair
        self._steps_s += time.perf_counter() - self._step_began
        self._count += 1

    def means(self, engine: Any, *, batch: int, micro_batches: int) -> dict[str, float]:
        """The interval's metrics, equal on all ranks, and a fresh start.

        Args:
            batch: clips of a micro-batch.
            micro_batches: of a step, over all ranks.
        """
        names = sorted(self._sums)
        sums = torch.stack([self._sums[name] for name in names]).to(self._device)
        dist.all_reduce(sums)
        means = {name: float(total / count) for name, (total, count) in zip(names, sums.tolist(), strict=True) if count}
        step_s = self._steps_s / self._count
        values = self._rates(means, micro_batches / step_s) | {
            "learning_rate": engine.get_lr()[0],
            "gradient_norm": float(engine.get_global_grad_norm() or 0.0),
            "step_s": step_s,
            "data_wait_share": self._data_s / self._steps_s,
            "clips_per_s": batch * micro_batches / step_s,
            "peak_memory_gib": self._peak_memory() / _GIB,
        }
        self._reset()
        return values

    def _rates(self, means: dict[str, float], micro_batches_per_s: float) -> dict[str, float]:
        """Losses as they are; tokens and operations as rates, and MFU where the GPU's speed is known."""
        tokens, flops = means.pop(TOKENS, None), means.pop(FLOPS, None)
        if tokens is not None:
            means["tokens_per_s"] = tokens * micro_batches_per_s
        if flops is not None:
            means["tflops_per_rank"] = flops * micro_batches_per_s / dist.get_world_size() / _TERA
            tflops = device_tflops(self._device)
            if tflops is not None:
                means["mfu"] = means["tflops_per_rank"] / tflops
        return means

    def _peak_memory(self) -> int:
        """Bytes of this rank, at most so far: on its GPU, or of its process."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def _reset(self) -> None:
        self._sums: dict[str, Any] = {}
        self._data_s = self._steps_s = self._step_began = 0.0
        self._count = 0
