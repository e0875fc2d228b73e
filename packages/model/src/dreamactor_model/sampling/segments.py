"""A long video as segments that hand on their last latent.

Segment 0 makes its latents from noise alone. Each later one begins with the last latent of the one before, clean, and
so adds one latent less: with 73 frames, 19 latents, then 18 more (72 frames) at a time. Between segments, latents are
never decoded and encoded again.
"""

from dataclasses import dataclass

from dreamactor_core.errors import SettingsError

from dreamactor_model.presets import SHORTEST_TRAINED_FRAMES, TEMPORAL_STRIDE, latent_frames, video_frames


@dataclass(frozen=True)
class Segment:
    """One run of the sampler: latents `first_latent` to `first_latent + latent_count` of the video.

    `kept` of them are new and belong to the video: the rest is the carried first one and, in the last segment, surplus.
    """

    index: int
    first_latent: int
    latent_count: int
    kept: int

    @property
    def carried(self) -> bool:
        """Whether its first latent is handed over by the segment before."""
        return self.index > 0

    def frame_indices(self, frame_count: int) -> list[int]:
        """The driving frames of its latents, 4F - 3 of them; past the end, the last one again.

        A carried latent stands for its last frame alone: a clip's first latent always stands for one frame.
        """
        first = self.first_latent * TEMPORAL_STRIDE
        return [min(index, frame_count - 1) for index in range(first, first + video_frames(self.latent_count))]


def plan_segments(frame_count: int, segment_frames: int) -> list[Segment]:
    """The segments of a video of `frame_count` frames.

    The last is only as long as the video needs, but no shorter than the clips the model was trained on.

    Raises:
        SettingsError: a segment is not 4n + 1 frames (n > 0) or the video has no frame.
    """
    if segment_frames <= 1 or segment_frames != video_frames(latent_frames(segment_frames)):
        raise SettingsError(f"a segment cannot have {segment_frames} frames", remedy="Choose 4n + 1, such as 73")
    if frame_count < 1:
        raise SettingsError(f"a video cannot have {frame_count} frames")
    longest = latent_frames(segment_frames)
    shortest = min(longest, latent_frames(SHORTEST_TRAINED_FRAMES))
    total = latent_frames(frame_count)
    segments: list[Segment] = []
    made = 0
    while made < total:
        first = max(made - 1, 0)
        needed = min(longest, total - first)
        segments.append(Segment(len(segments), first, max(needed, shortest), first + needed - made))
        made = first + needed
    return segments
