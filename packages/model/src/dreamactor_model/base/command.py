"""`dreamactor model import-wan`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from dreamactor_model.base.prompt import CachedPrompt
    from dreamactor_model.presets import ActorConfig

_GIGABYTE = 1_000_000_000


def import_wan(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="The base, in the diffusers or the original layout.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the model to make.")],
    preset: Annotated[str | None, typer.Option(help="The base's preset; default: the one that fits.")] = None,
    vae: Annotated[Path | None, typer.Option(help="The base's VAE (diffusers layout); default: DIR/vae.")] = None,
    prompt: Annotated[
        str | None, typer.Option(help="What text the model is always given; default: a neutral one.")
    ] = None,
    prompt_embedding: Annotated[Path | None, typer.Option(help="The same, embedded elsewhere (safetensors).")] = None,
    no_prompt: Annotated[bool, typer.Option("--no-prompt", help="Zeros in place of a prompt.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the parts that the base lacks.")] = 0,
    precision: Annotated[
        Literal["keep", "float32", "bfloat16"], typer.Option(help="Type of the transformer.")
    ] = "keep",
    shard_gb: Annotated[float, typer.Option(min=0.001, help="Size of one file of the result.")] = 5.0,
) -> None:
    """Make a model of public Wan weights: it equals the base until it is trained."""
    from dreamactor_core.errors import WeightsError

    from dreamactor_model.base.sizes import check_preset, find_preset
    from dreamactor_model.base.source import open_base
    from dreamactor_model.base.wan_import import ImportChoices
    from dreamactor_model.base.wan_import import import_wan as run
    from dreamactor_model.presets import get_preset

    base = open_base(source)
    if preset is not None:
        check_preset(base, get_preset(preset))
    chosen = find_preset(base) if preset is None else get_preset(preset)
    vae_source = vae or source / "vae"
    if not vae_source.is_dir():
        raise WeightsError("the base's VAE is not here", path=vae_source, remedy="Add --vae DIR (diffusers layout)")
    cached = _prompt(source, chosen.actor, prompt, prompt_embedding, no_prompt)
    choices = ImportChoices(cached, seed, precision, shard_bytes=int(shard_gb * _GIGABYTE))
    run(base, vae_source, output, chosen, choices)
    typer.echo(output)


def _prompt(
    source: Path, config: "ActorConfig", text: str | None, embedding: Path | None, none: bool
) -> "CachedPrompt":
    from dreamactor_core.errors import SettingsError

    from dreamactor_model.base.prompt import NEUTRAL_PROMPT, embed_prompt, no_prompt, read_embedding

    if sum((text is not None, embedding is not None, none)) > 1:
        raise SettingsError(
            "--prompt, --prompt-embedding and --no-prompt exclude each other", remedy="Give one of them"
        )
    if none:
        return no_prompt(config)
    return (
        embed_prompt(source, text or NEUTRAL_PROMPT, config) if embedding is None else read_embedding(embedding, config)
    )
