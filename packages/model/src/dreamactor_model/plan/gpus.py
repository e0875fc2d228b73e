"""How fast GPUs are: dense bf16 TFLOP/s, makers' figures."""

from types import MappingProxyType

import torch

TFLOPS = MappingProxyType({"h20": 148.0, "a100": 312.0, "h100": 989.0, "h200": 989.0})


def device_tflops(device: torch.device) -> float | None:
    """Of a device; None where it is not known."""
    if device.type != "cuda":
        return None
    words = torch.cuda.get_device_name(device).lower().replace("-", " ").split()
    return next((tflops for name, tflops in TFLOPS.items() if name in words), None)
