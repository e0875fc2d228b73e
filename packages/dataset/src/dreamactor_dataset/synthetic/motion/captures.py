"""Motion capture files inside the installed `pybullet` wheel, which is only read, never imported."""

from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from dreamactor_core.errors import InputError

_PACKAGE, _VERSION = "pybullet", "3.2.7"


@cache
def mocap_folder() -> Path:
    """Folder of the human motion captures.

    Raises:
        InputError: the wheel is not installed or lacks it.
    """
    remedy = f"Install it with: pip install {_PACKAGE}=={_VERSION}"
    try:
        path = Path(str(distribution(_PACKAGE).locate_file("pybullet_data/data/motions")))
    except PackageNotFoundError as problem:
        raise InputError(f"the package {_PACKAGE} is not installed", remedy=remedy) from problem
    if not path.is_dir():
        raise InputError(f"missing from the package {_PACKAGE}", path=path, remedy=remedy)
    return path
