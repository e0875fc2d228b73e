"""What a clip's record holds, by name."""

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
