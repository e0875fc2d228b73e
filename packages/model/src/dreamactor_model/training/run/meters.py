"""What a step costs and gives, averaged over a log interval and over the ranks."""

import time
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


class Meters:
    """Collects losses and times of the steps since the last report."""

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
            self._sums[name] = self._sums.get(name, 0.0) + value.detach().float()
        self._steps_s += time.perf_counter() - self._step_began
        self._count += 1

    def means(self, engine: Any, *, batch: int) -> dict[str, float]:
        """The interval's metrics, equal on all ranks, and a fresh start."""
        names = sorted(self._sums)
        means = torch.stack([torch.as_tensor(self._sums[name] / self._count) for name in names]).to(self._device)
        dist.all_reduce(means)
        means /= dist.get_world_size()
        step_s = self._steps_s / self._count
        values = dict(zip(names, means.tolist(), strict=True)) | {
            "learning_rate": engine.get_lr()[0],
            "gradient_norm": float(engine.get_global_grad_norm() or 0.0),
            "step_s": step_s,
            "data_wait_share": self._data_s / self._steps_s,
            "clips_per_s": batch / step_s,
        }
        self._reset()
        return values

    def _reset(self) -> None:
        self._sums: dict[str, Any] = {}
        self._data_s = self._steps_s = self._step_began = 0.0
        self._count = 0
