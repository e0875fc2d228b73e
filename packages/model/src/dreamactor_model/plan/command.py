"""`dreamactor model plan`."""

import re
from typing import Annotated

import typer
from dreamactor_core.options import with_settings
from dreamactor_core.settings import Settings

_UNITS = {"MiB": 2**20, "GiB": 2**30, "MB": 10**6, "GB": 10**9}


@with_settings("model.preset")
def plan(
    settings: Settings,
    gpus: Annotated[int, typer.Option(min=1, help="Ranks, one a GPU.")] = 8,
    memory: Annotated[str, typer.Option(help="Of each GPU, such as 96GiB.")] = "96GiB",
    frames: Annotated[int, typer.Option(help="Frames of a clip, 4n + 1; the longest decide.")] = 121,
    area: Annotated[str, typer.Option(help="Width x height of a clip in pixels.")] = "960x640",
    references: Annotated[int, typer.Option(min=0, help="Reference images of a clip.")] = 1,
    batch: Annotated[int, typer.Option(min=1, help="Clips a rank.")] = 1,
    gpu: Annotated[str, typer.Option(help="Whose speed is taken: h20, a100, h100 or h200.")] = "h20",
    mfu: Annotated[float, typer.Option(min=0.01, max=1, help="Share of that speed that is reached.")] = 0.5,
    sequence_parallel: Annotated[int, typer.Option(min=1, help="Ranks that share a clip's tokens.")] = 1,
) -> None:
    """What a training costs in memory, operations and days; picks the lowest ZeRO stage that fits."""
    from dreamactor_core.errors import SettingsError

    from dreamactor_model.plan.gpus import TFLOPS
    from dreamactor_model.plan.plan import make_plan
    from dreamactor_model.plan.table import plan_text
    from dreamactor_model.plan.workload import Machine, TrainingLoad
    from dreamactor_model.presets import get_preset

    if gpu not in TFLOPS:
        raise SettingsError(f"no figures of a GPU {gpu!r}", remedy=f"Choose one of {', '.join(TFLOPS)}")
    width, height = parse_area(area)
    load = TrainingLoad(get_preset(settings.model.preset), width, height, frames, references, batch)
    machine = Machine(gpus, parse_memory(memory), TFLOPS[gpu], mfu)
    training = settings.training
    stages = {"stage1": training.stage1, "stage2": training.stage2, "stage3": training.stage3}
    typer.echo(plan_text(make_plan(load, machine, stages, sequence_parallel=sequence_parallel)))


def parse_area(text: str) -> tuple[int, int]:
    """Width and height.

    Raises:
        SettingsError: not WIDTHxHEIGHT.
    """
    from dreamactor_core.errors import SettingsError

    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise SettingsError(f"--area {text}: not WIDTHxHEIGHT", remedy="Write e.g. 960x640")
    return int(match[1]), int(match[2])


def parse_memory(text: str) -> int:
    """Bytes.

    Raises:
        SettingsError: no number with a unit.
    """
    from dreamactor_core.errors import SettingsError

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", text)
    if match is None or match[2] not in _UNITS:
        raise SettingsError(f"--memory {text}: no size", remedy=f"Write e.g. 96GiB; units: {', '.join(_UNITS)}")
    return int(float(match[1]) * _UNITS[match[2]])
