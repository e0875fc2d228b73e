"""The licensed SMPL-X file: converted once from its pickle, then read as safetensors.

Legend: V = 10475 vertices, K = 55 joints of SMPL-X, F faces, D shape directions, P = 486 pose features.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dreamactor_core.errors import InputError, WeightsError
from dreamactor_core.files import load_tensors, save_tensors, sha256_file

from dreamactor_signals.foreign import read_foreign

FORMAT = "dreamactor-smplx"
VERTICES, JOINTS = 10475, 55
# The first 300 directions of newer files, the first 10 of older ones, are shape; expression follows.
_SHAPE_COUNTS = {400: 300, 20: 10}
# More directions than these tell a clip's joints nothing.
_USED_SHAPES = 10
_REMEDY = "Convert SMPL-X's own file with: dreamactor signals convert-smplx SMPLX_NEUTRAL.npz -o FILE.safetensors"
_SHAPES: dict[str, tuple[int | None, ...]] = {
    "v_template": (VERTICES, 3),
    "shapedirs": (VERTICES, 3, None),
    "posedirs": (VERTICES, 3, (JOINTS - 1) * 9),
    "J_regressor": (JOINTS, VERTICES),
    "weights": (VERTICES, JOINTS),
    "f": (None, 3),
    "kintree_table": (2, JOINTS),
}


@dataclass(frozen=True)
class SmplxFile:
    """The arrays of an SMPL-X model.

    Attributes:
        template_m: (V, 3). shape_m: (V, 3, S). pose_m: (V, 3, P).
        regressor: (K, V). weights: (V, K). faces: (F, 3). parents: (K,), -1 for the pelvis.
        sha256: of the file, short.
    """

    template_m: np.ndarray
    shape_m: np.ndarray
    pose_m: np.ndarray
    regressor: np.ndarray
    weights: np.ndarray
    faces: np.ndarray
    parents: np.ndarray
    sha256: str


def convert_smplx(source: Path, target: Path) -> None:
    """Write what the fit needs of an SMPL-X .npz or .pkl as safetensors; nothing in the source is executed.

    Raises:
        InputError: not an SMPL-X file, damaged, or a pickle that asks for more than data.
    """
    values = read_foreign(source)
    tensors = {name: _checked(values, name, source) for name in _SHAPES}
    save_tensors(target, tensors, {"format": FORMAT, "version": 1, "source_sha256": sha256_file(source)})


def load_smplx(path: Path) -> SmplxFile:
    """Read a converted file.

    Raises:
        InputError: missing file.
        WeightsError: not a converted SMPL-X file, or a damaged one.
    """
    if path.suffix in (".pkl", ".npz"):
        raise WeightsError("SMPL-X is read as safetensors only", path=path, remedy=_REMEDY)
    tensors, header = load_tensors(path, error=WeightsError)
    if header.get("format") != FORMAT:
        raise WeightsError("not a converted SMPL-X file", path=path, remedy=_REMEDY)
    try:
        arrays = {name: _checked(tensors, name, path) for name in _SHAPES}
    except InputError as problem:
        raise WeightsError(problem.problem, path=path, remedy=_REMEDY) from problem
    directions: int = arrays["shapedirs"].shape[2]
    shape_count = min(_SHAPE_COUNTS.get(int(directions), int(directions)), _USED_SHAPES)
    parents = arrays["kintree_table"][0].astype(np.int64)
    parents[0] = -1
    return SmplxFile(
        template_m=arrays["v_template"],
        shape_m=arrays["shapedirs"][:, :, :shape_count],
        pose_m=arrays["posedirs"],
        regressor=arrays["J_regressor"],
        weights=arrays["weights"],
        faces=arrays["f"].astype(np.int64),
        parents=parents,
        sha256=sha256_file(path)[:12],
    )


def _checked(values: Any, name: str, path: Path) -> np.ndarray:
    if name not in values:
        raise InputError(f"not an SMPL-X model: it has no {name!r}", path=path, remedy=_REMEDY)
    value = values[name]
    array = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    wanted = _SHAPES[name]
    fits = array.ndim == len(wanted) and all(
        want is None or want == got for want, got in zip(wanted, array.shape, strict=True)
    )
    if not fits or array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise InputError(
            f"not an SMPL-X model: {name!r} is {array.dtype} of shape {array.shape}", path=path, remedy=_REMEDY
        )
    # The root's parent is 2**32 - 1 in the original.
    return array.astype(np.int64) if name in ("f", "kintree_table") else array.astype(np.float32)
