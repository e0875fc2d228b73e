"""Left and right, set straight over a clip.

A body seen from behind looks much like one seen from the front, and where the face does not tell, some frames exchange
the sides: of the whole body, of the arms or of the legs alone. Between two such spells single frames blend both
readings into a body that never was. No body does that from one frame to the next: the labels that make the clip move
least are the true ones, those that most frames were read with, and a frame that fits no labelling is no reading.

Legend: T video frames, P = 33 body points, G limb groups (arms, legs), S = 2^G labellings.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dreamactor_signals.trackers.embedded.body import POINTS, Point
from dreamactor_signals.trackers.embedded.readings import BodyReading, FrameReading

# Costs, in shares of the body's size that points may move instead: of labelling a limb group of one frame against its
# reading, and of passing over a frame.
_AGAINST_READING = 0.0025
_PASSED_OVER = 0.12
_MOST_PASSED_OVER = 4
_FACE = slice(Point.NOSE, Point.MOUTH_RIGHT + 1)


def _other_side() -> np.ndarray:
    """(P,) the same point on the other side."""
    swapped = {"LEFT": "RIGHT", "RIGHT": "LEFT"}
    names = ["_".join(swapped.get(part, part) for part in point.name.split("_")) for point in Point]
    return np.array([Point[name] for name in names])


OTHER_SIDE = _other_side()
_ARMS, _LEGS = np.arange(Point.LEFT_SHOULDER, Point.LEFT_HIP), np.arange(Point.LEFT_HIP, POINTS)
_GROUPS = (_ARMS, _LEGS)
# (S, G) which groups a labelling exchanges.
_LABELLINGS = np.array([(arms, legs) for arms in (False, True) for legs in (False, True)])
PASSED_OVER = -1


def straighten_sides(readings: Sequence[FrameReading]) -> list[FrameReading]:
    """The clip with left and right exchanged where they were read the wrong way round, without bodies that never were.

    Face points that were guessed from behind count as hidden.
    """
    bodies = {index: reading.body for index, reading in enumerate(readings) if reading.body is not None}
    labels = label_frames(list(bodies.values()))
    straight = list(readings)
    for index, label in zip(bodies, labels, strict=True):
        if label == PASSED_OVER:
            straight[index] = replace(readings[index], body=None)
        elif label:
            straight[index] = _exchange(readings[index], bodies[index], *_LABELLINGS[label])
    return straight


def label_frames(bodies: Sequence[BodyReading]) -> np.ndarray:
    """(T,) index into the labellings (0: as it was read), or `PASSED_OVER`, by the cheapest path through the clip."""
    count = len(bodies)
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    points_px = np.array([body.points_px for body in bodies])
    visibility = np.array([body.visibility for body in bodies])
    size_px = np.median(np.ptp(points_px, axis=1).max(axis=-1))
    steps = [_steps(points_px / max(size_px, 1e-6), visibility, lag) for lag in range(1, _MOST_PASSED_OVER + 2)]
    against = _AGAINST_READING * _LABELLINGS.sum(axis=1)
    # Frames are passed over only between different labellings: anywhere else, what looks odd is a fast movement.
    switch = np.where(np.eye(len(_LABELLINGS), dtype=bool), np.inf, 0)
    # cost[t, s]: of the cheapest path that ends with frame t labelled s.
    cost = np.tile(against, (count, 1))
    came_from = np.zeros((count, len(_LABELLINGS), 2), dtype=np.int64)
    for t in range(1, count):
        cost[t] = np.inf
        for lag, step in enumerate(steps[:t], start=1):
            passing = _PASSED_OVER * (lag - 1) + (switch if lag > 1 else 0)
            through = cost[t - lag][:, None] + step[t - lag] + passing + against
            best = through.argmin(axis=0)
            better = through.min(axis=0) < cost[t]
            cost[t] = np.where(better, through.min(axis=0), cost[t])
            came_from[t][better] = np.stack([np.full(len(best), t - lag), best], axis=1)[better]
    return _path(cost, came_from)


def _path(cost: np.ndarray, came_from: np.ndarray) -> np.ndarray:
    """Follow the cheapest path back from the last frame."""
    labels = np.full(len(cost), PASSED_OVER)
    t, label = len(cost) - 1, int(cost[-1].argmin())
    while t > 0:
        labels[t] = label
        t, label = came_from[t, label]
    labels[0] = label
    return labels


def _steps(points: np.ndarray, visibility: np.ndarray, lag: int) -> np.ndarray:
    """(T - lag, S, S) movement of all groups from each frame to the one `lag` later, by the labellings of both."""
    total = np.zeros((max(len(points) - lag, 0), len(_LABELLINGS), len(_LABELLINGS)))
    for group, columns in zip(_GROUPS, _LABELLINGS.T, strict=True):
        stay = _movement(points[:-lag, group], points[lag:, group], visibility[:-lag, group], visibility[lag:, group])
        other = OTHER_SIDE[group]
        change = _movement(points[:-lag, group], points[lag:, other], visibility[:-lag, group], visibility[lag:, other])
        total += np.where(columns[:, None] == columns[None], stay[:, None, None], change[:, None, None])
    return total


def _movement(before: np.ndarray, after: np.ndarray, seen_before: np.ndarray, seen_after: np.ndarray) -> np.ndarray:
    """(N,) mean movement of points (N, K, 2), weighted by how well both are seen."""
    distance = np.linalg.norm(after - before, axis=-1)
    return np.average(distance, axis=1, weights=np.minimum(seen_before, seen_after) + 1e-6)


def _exchange(reading: FrameReading, body: BodyReading, arms: bool, legs: bool) -> FrameReading:
    order = np.arange(POINTS)
    for group, wrong in zip(_GROUPS, (arms, legs), strict=True):
        if wrong:
            order[group] = OTHER_SIDE[group]
    visibility = body.visibility[order]
    if arms:
        visibility[_FACE] = 0
    straight = replace(
        body,
        points_px=body.points_px[order],
        depth_px=body.depth_px[order],
        points_body_m=body.points_body_m[order],
        visibility=visibility,
    )
    if not arms:
        return replace(reading, body=straight)
    return replace(reading, body=straight, left_hand=reading.right_hand, right_hand=reading.left_hand)
