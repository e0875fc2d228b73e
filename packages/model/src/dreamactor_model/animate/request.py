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
        driving: the performance: body and head, and the face unless `speech` moves it.
        speech: a recording that moves the face. Alone, without a driving video, the first reference's pose is held.
        output: where the mp4 goes.
        style: an image of a face as it is to be held while `speech` moves it; anybody's.
        seed, steps, max_frames: in place of the settings' values.
        two_stage: let the model make other views of the one reference first, and use them as references too.
        consent: how whoever is shown has agreed; kept with the video.
    """

    references: tuple[Path, ...]
    driving: Path | None
    output: Path
    speech: Path | None = None
    style: Path | None = None
    seed: int | None = None
    steps: int | None = None
    max_frames: int | None = None
    two_stage: bool = False
    consent: str | None = None

    @property
    def performances(self) -> tuple[Path, ...]:
        """What drives: video, speech or both."""
        return tuple(path for path in (self.driving, self.speech) if path is not None)

    def apply(self, settings: SamplingSettings) -> SamplingSettings:
        """The settings with this request's own values in place."""
        own = {"seed": self.seed, "steps": self.steps, "max_frames": self.max_frames}
        return settings.model_copy(update={key: value for key, value in own.items() if value is not None})

    def check(self) -> None:
        """Refuse what can be refused without reading a frame.

        Raises:
            InputError: no reference, no performance, a missing file, two stages of several references, or an output
                that is not an mp4.
            DecodeError: speech that is not a WAV recording.
        """
        if not self.references:
            raise InputError("no reference image was given", remedy="Add --reference IMAGE")
        if self.two_stage and len(self.references) > 1:
            raise InputError(
                "--two-stage makes other views of one reference, and several were given",
                remedy="Leave --two-stage away: the given images are the views",
            )
        if not self.performances:
            raise InputError("no performance was given", remedy="Add --driving VIDEO or --speech WAV")
        for path in (*self.references, *self.performances, *([self.style] if self.style else [])):
            require_file(path)
        if self.speech is not None:
            from dreamactor_signals.speech.recording import read_recording

            read_recording(self.speech)
        elif self.style is not None:
            raise InputError("a style is for speech, and there is none", path=self.style, remedy="Add --speech WAV")
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
