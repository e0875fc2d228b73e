"""The silhouette on a photograph: whose pixels they are, however small the person, from however many threads."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from dreamactor_core.footage import footage
from dreamactor_signals.warp.silhouette import silhouette

SIDE = 256
# Rows and columns of the photograph, as shares: her face and her chest, the sky beside her head, the flag.
_HERS = ((0.22, 0.44), (0.8, 0.45))
_NOT_HERS = ((0.05, 0.8), (0.3, 0.05))


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return cv2.resize(cv2.imread(str(footage("astronaut")))[..., ::-1], (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _at(share_HW: np.ndarray, places: tuple[tuple[float, float], ...], top: int = 0, side: int = SIDE) -> list[float]:
    return [float(share_HW[top + int(row * side), top + int(column * side)]) for row, column in places]


def test_it_tells_a_person_from_what_is_beside_her(photograph: np.ndarray) -> None:
    share_HW = silhouette(photograph, np.ones((SIDE, SIDE), bool))
    assert min(_at(share_HW, _HERS)) > 0.9
    assert max(_at(share_HW, _NOT_HERS)) < 0.1
    assert share_HW.min() >= 0
    assert share_HW.max() <= 1


def test_who_is_small_is_looked_at_closely(photograph: np.ndarray) -> None:
    top, side = 600, 80
    wall = np.full((960, 960, 3), 120, np.uint8)
    wall[top : top + side, top : top + side] = cv2.resize(photograph, (side, side), interpolation=cv2.INTER_AREA)
    near_HW = np.zeros(wall.shape[:2], bool)
    near_HW[top : top + side, top : top + side] = True
    share_HW = silhouette(wall, near_HW)
    assert min(_at(share_HW, _HERS, top, side)) > 0.9
    assert not share_HW[:500].any()


def test_threads_do_not_disturb_each_other(photograph: np.ndarray) -> None:
    pictures = [np.roll(photograph, 12 * turn, axis=1) for turn in range(8)]
    everywhere_HW = np.ones((SIDE, SIDE), bool)
    one_by_one = [silhouette(picture, everywhere_HW) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda picture: silhouette(picture, everywhere_HW), pictures))
    for alone, beside in zip(one_by_one, together, strict=True):
        np.testing.assert_array_equal(alone, beside)
