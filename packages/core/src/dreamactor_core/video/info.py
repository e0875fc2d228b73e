"""What is known of a video before its frames are read."""

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Self


@dataclass(frozen=True)
class VideoInfo:
    """A video as it is shown: rotation metadata already applied to width and height.

    Attributes:
        frame_count: frames that really are in the file, counted from its packets.
        rotation: degrees counter-clockwise that the decoder's frames are turned by, a multiple of 90.
        constant_rate: whether every frame is shown within half a frame of its place on an even grid.
    """

    width: int
    height: int
    fps: Fraction
    frame_count: int
    has_audio: bool
    rotation: int
    constant_rate: bool = True

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self) | {"fps": str(self.fps)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**(values | {"fps": Fraction(values["fps"])}))
