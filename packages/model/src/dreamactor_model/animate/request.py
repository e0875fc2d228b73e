"""What is asked of an animation, checked before anything heavy starts, and what comes out of it."""

from dataclasses import dataclass
from pathlib import Path

from dreamactor_core.errors import InputError
from dreamactor_core.files import require_file
from dreamactor_core.provenance import sidecar_path
from dreamactor_core.settings.sampling import SamplingSettings

VIDEO_SUFFIX = ".mp4"


@dataclass(frozen=True)
class AnimateRequest:
    """One video to make.

    Attributes:
        references: one image of the person or several; the first sets the frame and the pose of rest.
        driving: the performance.
        output: where the mp4 goes.
        seed, steps, max_frames: in place of the settings' values.
    """

    references: tuple[Path, ...]
    driving: Path
    output: Path
    seed: int | None = None
    steps: int | None = None
    max_frames: int | None = None

    def apply(self, settings: SamplingSettings) -> SamplingSettings:
        """The settings with this request's own values in place."""
        own = {"seed": self.seed, "steps": self.steps, "max_frames": self.max_frames}
        return settings.model_copy(update={key: value for key, value in own.items() if value is not None})

    def check(self) -> None:
        """Refuse what can be refused without reading a frame.

        Raises:
            InputError: no reference, a missing file, or an output that is not an mp4.
        """
        if not self.references:
            raise InputError("no reference image was given", remedy="Add --reference IMAGE")
        for path in (*self.references, self.driving):
            require_file(path)
        if self.output.suffix.lower() != VIDEO_SUFFIX:
            raise InputError("the output must be an mp4", path=self.output, remedy="Name it OUT.mp4")
        if self.output.is_dir():
            raise InputError("is a directory", path=self.output, remedy="Name a file in it")


@dataclass(frozen=True)
class AnimateResult:
    """Where the results lie."""

    video: Path
    contact_sheet: Path
    sidecar: Path

    @classmethod
    def beside(cls, video: Path) -> "AnimateResult":
        """The names that belong to a video."""
        return cls(video, video.with_suffix(".sheet.png"), sidecar_path(video))
