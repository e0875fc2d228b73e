"""What a clip's record holds, by name."""

from dreamactor_core.motion_track import MotionTrack
from dreamactor_signals.faces.crops import CROP_PX

FRAMES = "frames"
"""Every frame at the training size."""
CROPS = "crops"
"""The face of every frame, cut from the source; empty where none was found."""
HALF_BODIES = "half_bodies"
"""Half-body crops of a full-body clip, cut from the source in frames evenly spread over it."""
TRACK, TRUTH = "track", "truth"
"""Motion tracks as `MotionTrack.to_bytes` writes them."""
FACE_PX = CROP_PX
HALF_BODY_CROPS = 4


def half_body_of(track: MotionTrack, slot: int) -> int:
    """The frame that a half-body crop of a full-body clip is cut from: one that shows head and torso."""
    from dreamactor_signals.views import half_body_frame

    frame = half_body_frame(track, (2 * slot + 1) * len(track) // (2 * HALF_BODY_CROPS))
    assert frame is not None  # such a clip is not marked as full body
    return frame
