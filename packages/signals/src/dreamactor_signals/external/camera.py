"""The camera that 4DHumans and HaMeR assume: 5000 pixels of focal length over a crop of 256, carried to the frame.

Both write translations for the whole frame, `focal_px = 5000 / 256 * max(width, height)`, the principal
point in its middle.
"""

_CROP_FOCAL_PX, _CROP_PX = 5000.0, 256.0


def assumed_focal_px(frame_size: tuple[int, int]) -> float:
    """Focal length of a (width, height) frame."""
    return _CROP_FOCAL_PX / _CROP_PX * max(frame_size)
