"""Face sets without a renderer: noise with a bright dot at each of the three points."""

from pathlib import Path

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.manifest import Split
from dreamactor_dataset.face_set import FaceTruth, write_face_list, write_faces

SIDE = 64
SHOWN_BY = 4
_SPLITS: tuple[Split, ...] = ("train",) * 8 + ("test",) * 4


def write_made_up_faces(folder: Path, expressions: int = 8) -> Path:
    """Twelve people, eight of whom train; every expression of a split is on four neighbours in a ring."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    units = random.random((2 * expressions, len(ARKIT_UNITS)), dtype=np.float32)
    for split, start in (("train", 0), ("test", expressions)):
        people = [person for person, of in enumerate(_SPLITS) if of == split]
        for place, person in enumerate(people):
            shown = [
                start + number
                for number in range(expressions)
                if (place - number) % len(people) < min(SHOWN_BY, len(people))
            ]
            write_faces(folder / f"{_name(person)}.safetensors", *_faces(random, shown, units), stamp="test")
    visible = dict.fromkeys(ARKIT_UNITS[1:], 1.0)
    return write_face_list(folder, {_name(person): split for person, split in enumerate(_SPLITS)}, visible, {})


def _name(person: int) -> str:
    return f"person-{person:02d}"


def _faces(random: np.random.Generator, shown: list[int], units: np.ndarray) -> tuple[list[np.ndarray], FaceTruth]:
    count = len(shown)
    points = np.array([[0.62, 0.42], [0.38, 0.42], [0.5, 0.7]]) + random.uniform(-0.05, 0.05, (count, 1, 2))
    images = random.integers(0, 120, (count, SIDE, SIDE, 3), dtype=np.uint8)
    for image, face in zip(images, points, strict=True):
        for x, y in np.floor(face * SIDE).astype(int):
            image[y - 1 : y + 2, x - 1 : x + 2] = 255
    truth = FaceTruth(
        expressions=np.array(shown),
        units=units[shown],
        angles_rad=random.normal(0, 0.4, (count, 3)).astype(np.float32),
        light=random.random((count, 4), dtype=np.float32),
        points=points.astype(np.float32),
    )
    return list(images), truth
