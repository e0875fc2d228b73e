"""Single-shot detectors: anchors, decoding, and merging of overlapping boxes.

Legend: N anchors, K keypoints.
"""

from dataclasses import dataclass

import numpy as np

from dreamactor_signals.litert.network import Network
from dreamactor_signals.litert.regions import Region

# Two boxes of one thing overlap by more than this share of their union.
_SAME_THING_IOU = 0.3
# Beyond it a sigmoid is 0 or 1, and its exponential would overflow.
_LOGIT_LIMIT = 80.0


@dataclass(frozen=True)
class Detection:
    """One thing found.

    Attributes:
        score: in [0, 1].
        box_crop: (4,) x0 y0 x1 y1 in the coordinates of the region searched.
        keypoints_px: (K, 2) in frame pixels.
        box_center_px: (2,) in frame pixels.
        side_px: longer edge of the box in frame pixels.
    """

    score: float
    box_crop: np.ndarray
    keypoints_px: np.ndarray
    box_center_px: np.ndarray
    side_px: float


@dataclass(frozen=True)
class DetectorLayout:
    """What a detector's file does not say of itself.

    Attributes:
        grids: (cells along an edge, anchors in a cell) of each output grid, in the order of its rows.
        low: value of a black pixel; white is 1.
        scores: output name of the scores; boxes: of the boxes and keypoints.
    """

    grids: tuple[tuple[int, int], ...]
    low: float
    boxes: str
    scores: str


def anchor_centers(grids: tuple[tuple[int, int], ...]) -> np.ndarray:
    """(N, 2) centres of the anchors in crop coordinates: row by row, each cell's anchors together."""
    parts = []
    for cells, anchors in grids:
        middle = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(middle, middle)
        parts.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), anchors, axis=0))
    return np.concatenate(parts)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logistic function, safe for any finite input."""
    return 1 / (1 + np.exp(-np.clip(logits, -_LOGIT_LIMIT, _LOGIT_LIMIT)))


def overlaps(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of one (4,) box with (N, 4) boxes."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1)
    union = (box[2:] - box[:2]).clip(0).prod() + areas - shared
    return shared / np.maximum(union, 1e-12)


def merge_overlapping(values: np.ndarray, scores: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Average what overlaps the best remaining box, weighted by score, until nothing remains.

    Averaging instead of dropping steadies the boxes from frame to frame.

    Args:
        values: (N, 4 + 2K) boxes x0 y0 x1 y1, then keypoints.
        scores: (N,).

    Returns:
        (score, values) of each thing, best first.
    """
    merged = []
    order = np.argsort(-scores)
    values, scores = values[order], scores[order]
    while len(scores):
        same = overlaps(values[0, :4], values[:, :4]) > _SAME_THING_IOU
        same[0] = True
        merged.append((float(scores[0]), np.average(values[same], axis=0, weights=scores[same])))
        values, scores = values[~same], scores[~same]
    return merged


class Detector:
    """A single-shot detector over any region of a frame.

    Args:
        network: square RGB input; outputs (1, N, 4 + 2K) and (1, N, 1).
        layout: its anchors and value range.
        min_score: below it nothing counts as found.
    """

    def __init__(self, network: Network, layout: DetectorLayout, *, min_score: float) -> None:
        self._network = network
        self._layout = layout
        self._min_score = min_score
        self._anchors = anchor_centers(layout.grids)

    def detect(self, frame: np.ndarray, region: Region) -> list[Detection]:
        """Everything found in the region, best first."""
        size = self._network.input_size
        low = self._layout.low
        image = region.crop(frame, size).astype(np.float32) * ((1 - low) / 255) + low
        outputs = self._network(image)
        scores = sigmoid(outputs[self._layout.scores][0, :, 0].astype(np.float64))
        found = scores >= self._min_score
        values = self._decode(outputs[self._layout.boxes][0, found] / size, self._anchors[found])
        return [_detection(score, row, region) for score, row in merge_overlapping(values, scores[found])]

    @staticmethod
    def _decode(raw: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        """Offsets from the anchors -> corners and keypoints, all in crop coordinates."""
        center = raw[:, :2] + anchors
        half = raw[:, 2:4] / 2
        keypoints = raw[:, 4:].reshape(len(raw), raw.shape[1] // 2 - 2, 2) + anchors[:, None]
        return np.concatenate([center - half, center + half, keypoints.reshape(len(raw), raw.shape[1] - 4)], axis=1)


def _detection(score: float, values: np.ndarray, region: Region) -> Detection:
    box = values[:4]
    return Detection(
        score=score,
        box_crop=box,
        keypoints_px=region.to_frame(values[4:].reshape(-1, 2)),
        box_center_px=region.to_frame((box[:2] + box[2:]) / 2),
        side_px=float((box[2:] - box[:2]).max()) * region.side_px,
    )
