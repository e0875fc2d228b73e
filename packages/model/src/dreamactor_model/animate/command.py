"""`dreamactor animate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from dreamactor_core.options import with_settings
from dreamactor_core.settings import Settings

if TYPE_CHECKING:
    from dreamactor_model.animate.request import AnimateRequest


@with_settings(
    "model.preset",
    "model.checkpoint",
    "model.device",
    "model.precision",
    "model.compile",
    "model.offload",
    "sampling.seed",
    "sampling.steps",
    "sampling.guidance_reference",
    "sampling.guidance_motion",
    "sampling.guidance_interval",
    "sampling.guidance_every",
    "sampling.solver",
    "sampling.step_cache_threshold",
    "sampling.max_frames",
    "sampling.max_references",
    "sampling.view_yaw_deg",
    "signals.person",
    "signals.guidance",
    "signals.retarget.transfer",
    "signals.retarget.bone_scale",
)
def animate(
    settings: Settings,
    reference: Annotated[list[Path], typer.Option("--reference", "-r", help="Image of the person; the first leads.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The mp4 to make.")],
    driving: Annotated[Path | None, typer.Option("--driving", "-d", help="Video of the performance.")] = None,
    speech: Annotated[
        Path | None, typer.Option("--speech", help="WAV that moves the face; alone, the reference's pose is held.")
    ] = None,
    style: Annotated[Path | None, typer.Option("--style", help="Image of a face to hold while speaking.")] = None,
    two_stage: Annotated[
        bool, typer.Option("--two-stage", help="First make other views of the one reference, then use them too.")
    ] = False,
    more_references: Annotated[list[Path] | None, typer.Argument(help="More images of the same person.")] = None,
) -> None:
    """Animate a person: images of them, and a video or a recording of speech, become a video of them performing it."""
    from dreamactor_model.animate.request import AnimateRequest

    request = AnimateRequest(
        (*reference, *(more_references or [])), driving, output, speech, style, two_stage=two_stage
    )
    request.check()
    _run(request, settings)


def _run(request: "AnimateRequest", settings: Settings) -> None:
    from dreamactor_core.video import probe

    from dreamactor_model.registry import checkpoint_folder

    # Seconds spent on loading networks are owed only to a video that can be read, and to speech that can be heard.
    if request.driving is not None:
        probe(request.driving)
    checkpoint = checkpoint_folder(settings.tracking, settings.model.checkpoint)
    if request.speech is not None:
        from dreamactor_model.audio_weights import find_audio

        find_audio(checkpoint)
    from dreamactor_model.animate.animator import Animator

    result = Animator.from_checkpoint(checkpoint, settings).animate(request)
    for path in (result.video, result.contact_sheet, result.sidecar):
        typer.echo(path)
