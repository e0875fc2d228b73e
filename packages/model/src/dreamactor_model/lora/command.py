"""`dreamactor model merge-lora`."""

from pathlib import Path
from typing import Annotated

import typer


def merge_lora(
    adapters: Annotated[Path, typer.Argument(metavar="DIR", help="What `model train --stage lora` made.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the model to make.")],
    base: Annotated[Path | None, typer.Option(help="The model they adapt; default: where it lay in training.")] = None,
) -> None:
    """Make one model of adapters and the model they adapt."""
    from dreamactor_model.lora.folder import merge_lora as run

    run(adapters, output, base)
    typer.echo(output)
