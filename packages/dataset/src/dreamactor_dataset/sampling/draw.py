"""One training sample, before any pixel is read."""

from dataclasses import dataclass

LATENT_STRIDE = 4
"""Video frames in one latent frame, after the first."""


@dataclass(frozen=True)
class Draw:
    """What is shown of which clip.

    Attributes:
        clip_index: row of the clip table.
        epoch: how often the whole sequence was shown before.
        position: place in the epoch's sequence.
        start: first frame of the window, a multiple of 4; not 0 when carried.
        frame_count: frames of the window, 4n+1.
        size: width and height of the training frames.
        carried: the window starts inside its clip and its first latent, of frames start-3..start, is given clean, as
            the last latent of the segment before is at inference (design 5, Long video).
        reference_frames: frames of the clip shown whole as references.
        half_body_frame: frame shown as a half-body crop, or None.
        drop_reference: train this sample without references.
        drop_motion: train this sample without control maps and face tokens.
        use_truth: take the true track, not the tracked one.
        augmentation: seed of the random changes of bones and colours.
    """

    clip_index: int
    epoch: int
    position: int
    start: int
    frame_count: int
    size: tuple[int, int]
    carried: bool
    reference_frames: tuple[int, ...]
    half_body_frame: int | None
    drop_reference: bool
    drop_motion: bool
    use_truth: bool
    augmentation: int = 0

    @property
    def reference_count(self) -> int:
        """References of the sample, the half-body crop included; equal within a batch."""
        return len(self.reference_frames) + (self.half_body_frame is not None)
