"""Which way a head faces that shows no face.

Seen from behind, a person is often read as one who faces the camera, left for right. Such a reading is wrong by half a
turn about the upright axis. No head does that between two frames: of both ways to take every frame, the ones
that make the clip turn least are true; and a head that faces the camera should have shown its face.

Legend: T video frames.
"""

import numpy as np

# Costs, in radians that the head may turn instead: of taking a frame against its reading, of facing the camera without
# a face for as long as a gap may last, and of a turn between two frames that is almost half a turn. To hide a face
# behind a hand for some seconds must not turn the head round.
_AGAINST_READING_RAD = 0.01
_FACING_UNSEEN_RAD = 1.3
_ABOUT_FACE_RAD, _HARDLY_A_STEP_RAD = 3.0, 2.4
_HALF_TURN = np.diag([-1.0, 1.0, -1.0])


def face_the_right_way(
    rough: np.ndarray,
    known: np.ndarray,
    heads: np.ndarray,
    face_seen: np.ndarray,
    face_unseen: np.ndarray,
    gap_frames: int,
) -> np.ndarray:
    """Turn those rough heads round that were read the wrong way.

    Args:
        rough: (T, 3, 3) rotations read from the body.
        known: (T,) bool, where there is such a reading.
        heads: (T, 3, 3) rotations read from the face.
        face_seen: (T,) bool, where there is one.
        face_unseen: (T,) bool, where there is none, nor one that is seen and could not be read.
        gap_frames: for how long a face may be lost by accident.

    Returns:
        (T, 3, 3) of rough heads.
    """
    ways = np.stack([rough, _HALF_TURN @ rough], axis=1)
    frames = np.flatnonzero(known | face_seen)
    if len(frames) == 0:
        return rough
    # Where the face is seen, both ways start from it.
    ends = np.where(face_seen[:, None, None, None], heads[:, None], ways)[frames]
    # The nose's share towards the camera, which looks along z.
    facing = np.clip(ends[:, :, 2, 2], 0, 1)
    # Whose face is never found may well be facing us.
    unseen_cost_rad = _FACING_UNSEEN_RAD / max(gap_frames, 1) if face_seen.any() else 0.0
    unary = unseen_cost_rad * facing * face_unseen[frames, None] + np.array([0, _AGAINST_READING_RAD])
    unary[face_seen[frames]] = 0
    turns = angles_between_rad(ends[:-1, :, None], ends[1:, None, :])
    turns += _ABOUT_FACE_RAD * (turns > _HARDLY_A_STEP_RAD)
    chosen = np.zeros(len(rough), dtype=np.int64)
    chosen[frames] = _cheapest_path(unary, turns)
    chosen[face_seen] = 0
    return ways[np.arange(len(rough)), chosen]


def angles_between_rad(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(...) angles between rotations (..., 3, 3)."""
    trace = (one * other).sum(axis=(-1, -2))
    return np.asarray(np.arccos(np.clip((trace - 1) / 2, -1, 1)))


def _cheapest_path(unary: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(N,) state of every frame. unary: (N, S) costs; steps: (N - 1, S, S) from one frame's state to the next's."""
    cost, came_from = unary[0], []
    for own, step in zip(unary[1:], steps, strict=True):
        through = cost[:, None] + step
        came_from.append(through.argmin(axis=0))
        cost = through.min(axis=0) + own
    path = [int(cost.argmin())]
    for before in reversed(came_from):
        path.append(int(before[path[-1]]))
    return np.array(path[::-1])
