"""A paper doll: the reference, cut at its joints, moves as the driving joints do.

Limbs are stretched and turned in the picture and their clothes slide on them, the head turns as a surface that its face
moves, parts are laid over one another from far to near, and what the person uncovers is painted by what surrounds it.
The scenery goes where the track says that the camera sees it. A limb that is not seen in a frame is left out; what the
reference does not show cannot appear, but for the half of a face that is like the other.

Legend: T video frames, H W rows and columns, C channels.
"""

import numpy as np
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.warp.cutting import cut_out
from dreamactor_signals.warp.face_points import face_points_px
from dreamactor_signals.warp.flat import Flat, FlatPiece
from dreamactor_signals.warp.following import follow_parts
from dreamactor_signals.warp.head import Head
from dreamactor_signals.warp.head_piece import HeadPiece
from dreamactor_signals.warp.layer import Layer
from dreamactor_signals.warp.parts import HEAD
from dreamactor_signals.warp.placing import Placement, place_parts
from dreamactor_signals.warp.scenery import moved_scenery


class ReferenceWarp:
    """One picture, cut once and moved as often as wanted.

    Args:
        image_HWC: uint8.
        pose: one frame, how the person stands in it, in its pixels.
        learned: whether networks are asked what the picture shows, whose pixels are the person's and where the face is.
    """

    def __init__(self, image_HWC: np.ndarray, pose: MotionTrack, *, learned: bool = True) -> None:
        image_HWC = np.ascontiguousarray(image_HWC)
        self._pose = pose
        self._start = place_parts(pose, 0)
        cut = cut_out(image_HWC, self._start, learned=learned)
        self._background_HWC = cut.background_HWC
        head = self._start.get(HEAD)
        face_px = face_points_px(image_HWC, head) if learned and isinstance(head, Head) else None
        self._pieces = {name: _piece(self._start[name], picture, face_px) for name, picture in cut.pieces.items()}

    def frames(self, track: MotionTrack) -> np.ndarray:
        """(T, H, W, 3) uint8: the picture as the person's own joints would have it, in pixels of the picture."""
        return np.stack([self._render(track, frame) for frame in range(len(track))])

    def _render(self, track: MotionTrack, frame: int) -> np.ndarray:
        now = follow_parts(self._start, track, frame)
        picture_HWC = moved_scenery(self._background_HWC, self._pose, track, frame).astype(np.float32)
        for name in sorted(self._pieces.keys() & now.keys(), key=lambda part: (-now[part].depth_m, part)):
            _moved(self._pieces[name], now[name]).lay_over(picture_HWC)
        return picture_HWC.round().clip(0, 255).astype(np.uint8)


def _piece(place: Placement, picture_HW4: np.ndarray, face_px: np.ndarray | None) -> FlatPiece | HeadPiece:
    return HeadPiece(place, picture_HW4, face_px) if isinstance(place, Head) else FlatPiece(place, picture_HW4)


def _moved(piece: FlatPiece | HeadPiece, now: Placement) -> Layer:
    """A part is of one kind in every frame."""
    if isinstance(piece, HeadPiece):
        assert isinstance(now, Head)
        return piece.moved(now)
    assert isinstance(now, Flat)
    return piece.moved(now)
