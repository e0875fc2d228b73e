"""A part's picture found again in another frame: how its surface must move for the two to differ least.

Gauss-Newton on pixels, from blurred pictures to sharp ones; pixels that remain different count little. A surface moves
by little unless the pixels insist, so that one without texture goes with its bone and a half that nobody sees does not
go where the polynomials of the other half lead.

Legend: H W rows and columns of a picture, N pixels that are compared, C colours, M = N C, K terms of a polynomial
(`warp.surface`), L levels of blur.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from dreamactor_core.surfaces import SURFACE_TERMS

from dreamactor_signals.warp.flat import Flat
from dreamactor_signals.warp.surface import resting, terms

_BLURS_PX = (3.0, 1.2)
_ROUNDS = 4
# Grey levels by which pixels of the same thing differ, by which they count little, and as which they count at most.
_NOISE, _OTHER, _MOST = 8.0, 24.0, 40.0
# What lies beyond the part costs as much as a pixel that is off by this.
_GONE = 20.0
# A motion is found where it leaves no more than these shares of what no motion leaves, and of what there is to see.
_LIKELIER, _UNEXPLAINED = 0.93, 0.5
# So many neighbouring pixels tell the same.
_ALIKE = 100.0
# What a motion mostly is all over a part, and what its terms are, in half widths and lengths of the part.
_USUAL, _USUAL_TERM = 0.05, 0.1
_FEWEST = 80
_STILL = 5e-4


@dataclass(frozen=True, eq=False)
class Picture:
    """A frame, blurred, and its slopes.

    Attributes:
        colours, across, down: L of (H, W, C) float32 each.
    """

    colours: tuple[np.ndarray, ...]
    across: tuple[np.ndarray, ...]
    down: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, frame_HWC: np.ndarray) -> "Picture":
        """Of a uint8 frame."""
        colours = blurred(frame_HWC)
        across, down = (
            tuple(cv2.Sobel(level, cv2.CV_32F, *order, scale=1 / 8) for level in colours) for order in ((1, 0), (0, 1))
        )
        return cls(colours, across, down)


def blurred(frame_HWC: np.ndarray) -> tuple[np.ndarray, ...]:
    """L of (H, W, C) float32."""
    return tuple(cv2.GaussianBlur(frame_HWC.astype(np.float32), (0, 0), blur) for blur in _BLURS_PX)


@dataclass(frozen=True, eq=False)
class Patch:
    """A part as one picture shows it.

    Attributes:
        place: where it is there.
        picture: which shows it.
        is_own_HW: bool, at which of its pixels.
    """

    place: Flat
    picture: Picture
    is_own_HW: np.ndarray

    def find(self, seen_N2: np.ndarray, colours_LNC: Sequence[np.ndarray], before_2K: np.ndarray) -> np.ndarray | None:
        """The motion under which another frame shows what the picture does.

        Args:
            seen_N2: where that frame shows the part, in its coordinates.
            colours_LNC: what it shows there, blurred.
            before_2K: the motion of the frame before; the search begins there or at rest, whichever is likelier.

        Returns:
            (2, K), or None where no motion is much likelier than none.
        """
        rest_2K = np.zeros_like(before_2K)
        start = min((before_2K, rest_2K), key=lambda motion: self._unlike(seen_N2, colours_LNC[0], motion, 0))
        found = self._search(seen_N2, colours_LNC, start)
        if found is None:
            return None
        unlike, at_rest = (self._unlike(seen_N2, colours_LNC[-1], motion, -1) for motion in (found, rest_2K))
        there_is = float(np.asarray(colours_LNC[-1]).var(axis=0).mean())
        is_found = unlike < min(_LIKELIER * at_rest, _NOISE**2 + _UNEXPLAINED * there_is)
        return found if is_found else None

    def _search(
        self, seen_N2: np.ndarray, colours_LNC: Sequence[np.ndarray], motion_2K: np.ndarray
    ) -> np.ndarray | None:
        for level in range(len(_BLURS_PX)):
            for _ in range(_ROUNDS):
                equations = self._equations(seen_N2, colours_LNC[level], motion_2K, level)
                if equations is None:
                    return None
                normal, slope = equations
                step = np.linalg.solve(normal + _held(), slope + _held() @ motion_2K.ravel())
                motion_2K = motion_2K - step.reshape(2, SURFACE_TERMS)
                if np.abs(step).max() < _STILL:
                    break
        return motion_2K

    def _equations(
        self, seen_N2: np.ndarray, colours_NC: np.ndarray, motion_2K: np.ndarray, level: int
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """(2K, 2K) and (2K,) of the weighted squares' normal equations; None where too little is compared."""
        at_N2, is_own_N = self._at(seen_N2, motion_2K)
        if is_own_N.sum() < _FEWEST:
            return None
        at_N2 = at_N2[is_own_N]
        off_NC = _looked_up(self.picture.colours[level], at_N2) - colours_NC[is_own_N]
        weight_N = 1 / (1 + np.square(off_NC).mean(axis=1) / _OTHER**2)
        slopes_NC2 = np.stack(
            [_looked_up(self.picture.across[level], at_N2), _looked_up(self.picture.down[level], at_N2)], axis=-1
        )
        along_NC2 = slopes_NC2 @ self.place.matrix()[:2, :2].astype(np.float32)
        terms_NK = terms(seen_N2[is_own_N])
        rows_NC2K = along_NC2[..., None] * terms_NK[:, None, None, :]
        rows_MK = rows_NC2K.reshape(off_NC.size, 2 * SURFACE_TERMS)
        weighted_MK = rows_MK * np.repeat(weight_N / off_NC.shape[1], off_NC.shape[1])[:, None]
        return weighted_MK.T @ rows_MK, weighted_MK.T @ off_NC.ravel()

    def _unlike(self, seen_N2: np.ndarray, colours_NC: np.ndarray, motion_2K: np.ndarray, level: int) -> float:
        at_N2, is_own_N = self._at(seen_N2, motion_2K)
        off_NC = _looked_up(self.picture.colours[level], at_N2) - colours_NC
        off_N = np.square(off_NC).mean(axis=1).clip(0, _MOST**2)
        return float(np.where(is_own_N, off_N, _GONE**2).mean())

    def _at(self, seen_N2: np.ndarray, motion_2K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, 2) pixels of the picture where what is seen rests, and (N,) whether it shows the part there."""
        at_N2 = self.place.pixels(resting(seen_N2, motion_2K))
        cells_N2 = np.floor(at_N2).astype(np.int64)
        size = self.is_own_HW.shape[::-1]
        is_inside_N = ((cells_N2 >= 0) & (cells_N2 < size)).all(axis=1)
        columns_N, rows_N = cells_N2.clip(0, np.array(size) - 1).T
        return at_N2, is_inside_N & self.is_own_HW[rows_N, columns_N]


@cache
def _held() -> np.ndarray:
    """(2K, 2K) how little both coordinates' polynomials mostly move a part, against pixels' squares."""
    part_st = np.stack(np.meshgrid(np.linspace(0, 1, 7), np.linspace(-1, 1, 9)), axis=-1).reshape(-1, 2)
    terms_NK = terms(part_st)
    held_KK = terms_NK.T @ terms_NK / len(terms_NK) / _USUAL**2 + np.eye(SURFACE_TERMS) / _USUAL_TERM**2
    return np.asarray(_NOISE**2 * _ALIKE * np.kron(np.eye(2), held_KK))


def _looked_up(picture_HWC: np.ndarray, at_N2: np.ndarray) -> np.ndarray:
    """(N, C) between pixels."""
    # OpenCV counts pixels from the centre of the first one.
    at_N12 = (at_N2[:, None] - 0.5).astype(np.float32)
    return np.asarray(cv2.remap(picture_HWC, at_N12, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0])
