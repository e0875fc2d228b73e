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
    "sampling.seed",
    "sampling.steps",
    "sampling.guidance_reference",
    "sampling.guidance_motion",
    "sampling.max_frames",
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
    speech: Annotated[Path | None, typer.Option("--speech", help="Recording to speak; not available yet.")] = None,
    more_references: Annotated[list[Path] | None, typer.Argument(help="More images of the same person.")] = None,
) -> None:
    """Animate a person: one image (or several) and a driving video become a video of that person performing it."""
    from dreamactor_core.errors import InputError

    from dreamactor_model.animate.request import AnimateRequest

    if speech is not None:
        raise InputError(
            "driving by speech is not there yet (the audio encoder is not trained)",
            path=speech,
            remedy="Use --driving VIDEO",
        )
    if driving is None:
        raise InputError("no performance was given", remedy="Add --driving VIDEO")
    request = AnimateRequest((*reference, *(more_references or [])), driving, output)
    request.check()
    _run(request, settings)


def _run(request: "AnimateRequest", settings: Settings) -> None:
    from dreamactor_core.video import probe

    from dreamactor_model.registry import resolve_checkpoint

    # Seconds spent on loading networks are owed only to a video that can be read.
    probe(request.driving)
    checkpoint = resolve_checkpoint(settings)
    from dreamactor_model.animate.animator import Animator

    result = Animator.from_checkpoint(checkpoint, settings).animate(request)
    for path in (result.video, result.contact_sheet, result.sidecar):
        typer.echo(path)
