"""Left and right, set straight over a clip.

A body seen from behind looks much like one seen from the front, and where the face does not tell, single frames may
exchange the sides. No body exchanges them from one frame to the next: the labels that make the clip move least are the
true ones, and those that most frames were read with.

Legend: T video frames, P = 33 body points.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dreamactor_signals.trackers.embedded.body import POINTS, Point
from dreamactor_signals.trackers.embedded.readings import BodyReading, FrameReading

# What labelling one frame against its reading costs, as a share of the body's size that points may move instead.
_AGAINST_READING = 0.02
_FACE = slice(Point.NOSE, Point.MOUTH_RIGHT + 1)


def _other_side() -> np.ndarray:
    """(P,) the same point on the other side."""
    swapped = {"LEFT": "RIGHT", "RIGHT": "LEFT"}
    names = ["_".join(swapped.get(part, part) for part in point.name.split("_")) for point in Point]
    return np.array([Point[name] for name in names])


OTHER_SIDE = _other_side()
_PAIRED = np.array([p for p in range(_FACE.stop, POINTS) if OTHER_SIDE[p] != p])


def straighten_sides(readings: Sequence[FrameReading]) -> list[FrameReading]:
    """The clip with left and right exchanged in those frames that were read the wrong way round.

    Their face points were guessed from behind and count as hidden.
    """
    bodies = {index: reading.body for index, reading in enumerate(readings) if reading.body is not None}
    exchanged = exchanged_frames(list(bodies.values()))
    straight = list(readings)
    for index, wrong in zip(bodies, exchanged, strict=True):
        if wrong:
            straight[index] = _exchange(readings[index], bodies[index])
    return straight


def exchanged_frames(bodies: Sequence[BodyReading]) -> np.ndarray:
    """(T,) bool: which readings to exchange, by the cheapest path through both labellings of every frame."""
    if not bodies:
        return np.zeros(0, dtype=bool)
    points_px = np.array([body.points_px for body in bodies])
    visibility = np.array([body.visibility for body in bodies])
    size_px = np.median(np.ptp(points_px, axis=1).max(axis=-1))
    stay, change = _movements(points_px / max(size_px, 1e-6), visibility)
    # cost[s]: of the cheapest path that ends with the frame as read (0) or exchanged (1).
    unary = np.array([0.0, _AGAINST_READING])
    cost = unary
    came_from = np.zeros((len(bodies), 2), dtype=int)
    for t in range(1, len(bodies)):
        steps = cost[:, None] + np.array([[stay[t - 1], change[t - 1]], [change[t - 1], stay[t - 1]]])
        came_from[t] = steps.argmin(axis=0)
        cost = steps.min(axis=0) + unary
    path = np.zeros(len(bodies), dtype=int)
    path[-1] = cost.argmin()
    for t in range(len(bodies) - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return path == 1


def _movements(points: np.ndarray, visibility: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T-1,) mean movement between neighbouring frames, with equal and with exchanged labels."""
    before, after = points[:-1, _PAIRED], points[1:, _PAIRED]
    exchanged = points[1:, OTHER_SIDE[_PAIRED]]
    seen = np.minimum(visibility[:-1, _PAIRED], visibility[1:, _PAIRED]) + 1e-6
    crossed = np.minimum(visibility[:-1, _PAIRED], visibility[1:, OTHER_SIDE[_PAIRED]]) + 1e-6
    return (
        np.average(np.linalg.norm(after - before, axis=-1), axis=1, weights=seen),
        np.average(np.linalg.norm(exchanged - before, axis=-1), axis=1, weights=crossed),
    )


def _exchange(reading: FrameReading, body: BodyReading) -> FrameReading:
    visibility = body.visibility[OTHER_SIDE]
    visibility[_FACE] = 0
    exchanged = replace(
        body,
        points_px=body.points_px[OTHER_SIDE],
        points_body_m=body.points_body_m[OTHER_SIDE],
        visibility=visibility,
    )
    return replace(reading, body=exchanged, left_hand=reading.right_hand, right_hand=reading.left_hand)
