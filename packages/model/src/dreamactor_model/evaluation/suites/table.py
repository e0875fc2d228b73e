"""Every suite, as one table: which clips, who drives whom, and which variants of the model are compared."""

from dataclasses import dataclass
from typing import Literal

from dreamactor_core.manifest import Framing
from dreamactor_core.settings.evaluation import SuiteName
from dreamactor_core.settings.signals import Guidance

References = Literal["one", "several", "made"]
Drive = Literal["self", "cross"]


@dataclass(frozen=True)
class Variant:
    """One way of using the model, or another model.

    Attributes:
        name: key in the figures.
        about: what is done, in the words of the report.
        references: one: the first frame; several: also frames that show the person from other sides; made: also views
            that the model makes in a first pass (paper 3.3).
        adjust_lengths: whether the driving skeleton gets the reference's bone lengths (paper 3.2).
        guidance: what control maps show; None: what the settings say.
        face: whether face tokens drive the face.
        refined: whether the model's refiner, if it has one, mends its frames.
        weights: folder of weights of its own, in `training.models_dir`; None: the checkpoint that is evaluated.
        training: the command that makes these weights.
    """

    name: str
    about: str
    references: References = "one"
    adjust_lengths: bool = True
    guidance: Guidance | None = None
    face: bool = True
    refined: bool = True
    weights: str | None = None
    training: str = ""


MODEL = Variant("model", "the model, one reference")


@dataclass(frozen=True)
class Suite:
    """Clips, and what competes on them; the baselines always do.

    Attributes:
        name: as `--suite` takes it.
        about: what it shows.
        variants: of the model; one called `model` is what promotion reads.
        framings: of the clips; None: any.
        drive: self: a clip's own motion, with its frames as the truth; cross: the motion of somebody else's clip, for
            which there is no truth.
        turning_first: the clips in which people turn most, instead of the first ones.
        least_clips: fewer are refused; where it is more than one, every held-out clip is measured.
        paper_table: the paper's table to print beside the figures.
    """

    name: SuiteName
    about: str
    variants: tuple[Variant, ...] = (MODEL,)
    framings: tuple[Framing, ...] | None = None
    drive: Drive = "self"
    turning_first: bool = False
    least_clips: int = 1
    paper_table: int | None = None


def _stage(number: int, about: str, *, face: bool) -> Variant:
    command = f"dvc repro train@{number}"
    return Variant(f"stage{number}", about, face=face, weights=f"stage{number}", training=command)


def _control(guidance: Guidance, about: str, *, face: bool) -> Variant:
    command = f"dvc repro suites/dvc.yaml:train@{guidance}"
    return Variant(guidance, about, guidance=guidance, face=face, weights=f"{guidance}/stage3", training=command)


_ALL = (
    Suite("held-out", "people and motions never trained on, all framings, driven by themselves"),
    Suite(
        "body",
        "body animation: half and full bodies driven by themselves (paper 4.2)",
        framings=("half", "full"),
        paper_table=1,
    ),
    Suite(
        "portrait",
        "portrait animation: close-ups driven by themselves (paper 4.2)",
        framings=("portrait",),
        paper_table=2,
    ),
    Suite(
        "cross-driven",
        "the motion of one person performed by another; there is no truth to compare with",
        drive="cross",
    ),
    Suite(
        "references",
        "ablation: one reference, views that the model makes itself, or real ones (paper 4.3)",
        variants=(
            Variant("one_reference", "the first frame"),
            Variant("made_references", "the first frame and views made of it in a first pass", references="made"),
            Variant("real_references", "the first frame and true views from other sides", references="several"),
        ),
        turning_first=True,
        paper_table=3,
    ),
    Suite(
        "bone-lengths",
        "ablation: bone length adjustment on or off, where one person drives another (paper 4.3, Figure 6)",
        variants=(
            Variant("adjusted", "the skeleton has the reference's bone lengths"),
            Variant("not_adjusted", "the skeleton has the driving person's proportions", adjust_lengths=False),
        ),
        framings=("half", "full"),
        drive="cross",
    ),
    Suite(
        "controls",
        "ablation: skeleton, head sphere and face tokens, or what the paper compares them with (4.3, Figure 6)",
        variants=(
            # The others have no refiner.
            Variant("model", "skeleton, head sphere and face tokens", refined=False),
            _control(
                "mesh", "meshes of body and head instead of skeleton and head sphere, with face tokens", face=True
            ),
            _control("landmarks", "skeleton and 3-D face landmarks instead of head sphere and face tokens", face=False),
        ),
    ),
    Suite(
        "stages",
        "what each stage of training adds (paper 3.4)",
        variants=(
            _stage(1, "skeleton and head sphere only", face=False),
            _stage(2, "face tokens learned, all else frozen", face=True),
            _stage(3, "everything trained together", face=True),
            Variant(
                "refiner",
                "the same, its frames mended by the reference's pixels",
                weights="refiner",
                training="dvc repro train-refiner",
            ),
        ),
    ),
    Suite("release", "every held-out clip, at least 100", least_clips=100),
)
SUITES: dict[SuiteName, Suite] = {suite.name: suite for suite in _ALL}
"""By name."""
