"""What mmpose imports and does not need to estimate keypoints, stood in for during its import.

- torchvision on a torch without CUDA: its compiled operators do not load, and its import trips over two schemas that
  they would have registered.
- mmdet: two names that one detector head wants at import.
- mmcv-lite has no compiled operators; their Python fallbacks bind once a module of that name is there.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch


@contextmanager
def stand_ins() -> Iterator[None]:
    """Make `import mmpose` possible. The stand-ins for mmcv go again; mmpose keeps what it has bound of them."""
    _register_torchvision_schemas()
    if "mmdet" not in sys.modules:
        sys.modules |= {
            "mmdet": _module("mmdet"),
            "mmdet.utils": _module("mmdet.utils", ConfigType=Any, reduce_mean=_mean),
        }
    extension = _module("mmcv._ext")
    extension.__getattr__ = _missing_operator  # type: ignore[method-assign]
    sys.modules["mmcv._ext"] = extension
    try:
        yield
    finally:
        del sys.modules["mmcv._ext"]


def _register_torchvision_schemas() -> None:
    """With CUDA torch, torchvision's own operators serve."""
    if torch.version.cuda is not None:
        return
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    # A library's definitions live as long as it does.
    _LIBRARIES.append(library)


_LIBRARIES: list[torch.library.Library] = []


def _mean(value: torch.Tensor) -> torch.Tensor:
    """Mean over processes; there is one."""
    return value


def _module(name: str, **content: Any) -> ModuleType:
    module = ModuleType(name)
    for key, value in content.items():
        setattr(module, key, value)
    return module


def _missing_operator(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError(f"the compiled operator {name} of mmcv is not installed")

    return refuse
