"""A checkpoint's tensors, read without running code that it may carry."""

import pickle
from typing import Any

from refusal import Refusal

REMEDY = "Download the checkpoint of this very config again (the model zoo of mmpose, whole-body 2D keypoints)"


def read_checkpoint(path: str) -> dict[str, Any]:
    """The state dict of an mmengine checkpoint, as trained or as published.

    Raises:
        Refusal: not a checkpoint, damaged, or it holds more than tensors and plain records.
    """
    import torch

    try:
        with torch.serialization.safe_globals(_records()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError) as problem:
        # torch explains at length what else one might do.
        reason = str(problem).strip().split("\n")[0].split(". ")[0]
        raise Refusal(f"not a readable checkpoint ({reason})", kind="weights", remedy=REMEDY) from problem
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not state or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise Refusal("holds no state dict", kind="weights", remedy=REMEDY)
    return state


def _records() -> list[Any]:
    """What mmengine writes beside the tensors: numbers of numpy, and curves of the training, which are passed over."""
    import numpy as np
    from numpy._core import multiarray

    numbers = [type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "u1", "?")]
    # Checkpoints of numpy 1 name its old home.
    arrays: list[Any] = [(multiarray.scalar, "numpy.core.multiarray.scalar"), multiarray.scalar]
    arrays += [(multiarray._reconstruct, "numpy.core.multiarray._reconstruct"), multiarray._reconstruct]
    curve = [(_Curve, "mmengine.logging.history_buffer.HistoryBuffer"), (_method_of_curve, "builtins.getattr")]
    return [np.ndarray, np.dtype, *numbers, *arrays, *curve]


class _Curve:
    """Stands in for mmengine's HistoryBuffer."""

    def __setstate__(self, state: object) -> None:
        """Passed over."""


def _method_of_curve(owner: type, name: str) -> str:
    """A curve refers to its own methods by `getattr`, which a file must not get to call."""
    return f"{owner.__name__}.{name}"
