"""`dreamactor model` and `dreamactor animate`. Nothing heavy is imported before a command runs."""

from pathlib import Path
from typing import Annotated

import typer
from dreamactor_core.options import with_settings
from dreamactor_core.settings import Settings

from dreamactor_model.animate.command import animate
from dreamactor_model.base.command import import_wan
from dreamactor_model.batch.command import animate_batch
from dreamactor_model.lora.command import merge_lora
from dreamactor_model.plan.command import plan

__all__ = ["animate", "animate_batch", "app"]

app = typer.Typer(no_args_is_help=True, help="Train, evaluate, register and promote the model.")

Manifest = Annotated[Path, typer.Option("--manifest", help="Clips with their motion tracks.")]
_MANIFEST = Path("data/signals/manifest.parquet")
Clips = Annotated[Path, typer.Option("--clips", help="The packed clips (dreamactor dataset pack).")]
_CLIPS = Path("data/shards/clips.arrow")


@app.callback()
def model() -> None:
    """Train, evaluate, register and promote the model."""


@app.command()
@with_settings("model.preset", "training.processes", "training.zero_stage", "training.seed")
def train(
    settings: Settings,
    stage: Annotated[str, typer.Option(help="vae, face, 1, 2, 3, refiner, lora or audio.")],
    clips: Clips = _CLIPS,
    resume: Annotated[str, typer.Option(help="auto (the latest checkpoint, if any), none, or a step.")] = "auto",
) -> None:
    """Train one stage; it starts from the weights of the stage before."""
    from dreamactor_model.training.run.launch import train_stage
    from dreamactor_model.training.stages import parse_stage

    typer.echo(train_stage(settings, parse_stage(stage), clips, resume=resume).weights)


app.command()(import_wan)
app.command()(plan)
app.command()(merge_lora)


@app.command()
@with_settings("model.preset")
def encode_latents(settings: Settings, clips: Clips = _CLIPS) -> None:
    """Encode the training clips with the trained VAE, once for all diffusion stages."""
    from dreamactor_model.training.data.latent_encoding import encode_clips

    typer.echo(encode_clips(settings, clips))


@app.command()
@with_settings(
    "evaluation.suite",
    "evaluation.checkpoint",
    "model.device",
    "evaluation.clips",
    "evaluation.frames",
    "evaluation.steps",
)
def evaluate(settings: Settings, manifest: Manifest = _MANIFEST) -> None:
    """Animate held-out clips, beside baselines and variants, and report how good the results are."""
    from dreamactor_model.evaluation.evaluate import evaluate_checkpoint

    typer.echo(evaluate_checkpoint(settings, manifest))


@app.command()
@with_settings("evaluation.suite", "evaluation.checkpoint", "tracking.uri")
def register(settings: Settings) -> None:
    """Make the evaluated checkpoint a version in the model registry."""
    from dreamactor_model.registry import register_checkpoint

    typer.echo(register_checkpoint(settings).version)


@app.command()
@with_settings("tracking.uri", "evaluation.promotion.metric", "evaluation.promotion.margin")
def promote(
    settings: Settings,
    version: Annotated[str | None, typer.Option(help="The candidate; default: the newest version.")] = None,
) -> None:
    """Give a version the alias `champion` if it beats the one that has it; say why otherwise."""
    from dreamactor_model.registry import promote_version

    decision = promote_version(settings, version)
    typer.echo(
        f"version {decision.candidate}: {'promoted' if decision.promoted else 'not promoted'}, {decision.reason}"
    )


@app.command()
@with_settings("sampling.steps", "sampling.guidance_reference", "sampling.guidance_motion")
def release(
    settings: Settings,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the released model; replaced whole.")],
    checkpoint: Annotated[Path, typer.Argument(help="A finished stage, its audio encoder beside it.")] = Path(
        "models/refiner"
    ),
) -> None:
    """Make of a finished model the one that comes with the package."""
    from dreamactor_model.released.packing import pack_release

    typer.echo(pack_release(checkpoint, output, settings.sampling))


@app.command("roll-back")
@with_settings("tracking.uri")
def roll_back(
    settings: Settings,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the version, which cannot win again.")],
) -> None:
    """Give the alias `champion` back to the version that had it before."""
    from dreamactor_model.registry import roll_back as go_back

    typer.echo(f"version {go_back(settings, reason)} is champion again")
