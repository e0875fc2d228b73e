"""The points of a face, as the landmark network of the bundled wheel sees them in a picture.

Legend: L = 478 landmarks: 468 of the skin, as `average_face` has them, and ten of the irises.
"""

from dataclasses import dataclass

import numpy as np

from dreamactor_signals.litert.detector import sigmoid
from dreamactor_signals.litert.network import Network
from dreamactor_signals.litert.regions import Region, angle_level, region_around

LANDMARKS, SKIN_LANDMARKS = 478, 468
RIGHT_EYE_OUTER, LEFT_EYE_OUTER = 33, 263
_MARGIN = 1.5


@dataclass(frozen=True, eq=False)
class FaceLandmarks:
    """One reading.

    Attributes:
        points_px: (L, 2).
        depth_px: (L,) from the camera, about the middle of the head.
        score: in [0, 1], how surely there is a face.
    """

    points_px: np.ndarray
    depth_px: np.ndarray
    score: float

    def region(self) -> Region:
        """The square around the face in which it is best read again."""
        level = angle_level(self.points_px[RIGHT_EYE_OUTER], self.points_px[LEFT_EYE_OUTER])
        return with_margin(region_around(self.points_px, level))


def with_margin(region: Region) -> Region:
    """A face with as much around it as the network wants to see."""
    return region.scaled(_MARGIN)


def read_landmarks(network: Network, frame: np.ndarray, region: Region) -> FaceLandmarks:
    """Landmarks of the face in a region of an (H, W, 3) uint8 frame, whether there is one or not: see the score."""
    size = network.input_size
    outputs = network(region.crop(frame, size).astype(np.float32) / 255)
    score = float(sigmoid(outputs["Identity_1"].astype(np.float64)).reshape(()))
    raw = outputs["Identity"].reshape(LANDMARKS, 3).astype(np.float64)
    return FaceLandmarks(region.to_frame(raw[:, :2] / size), raw[:, 2] / size * region.side_px, score)
