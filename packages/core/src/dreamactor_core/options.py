"""Settings as command-line options: the schema is written once, in `dreamactor_core.settings`."""

import functools
import inspect
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel

from dreamactor_core.errors import SettingsError
from dreamactor_core.settings import Settings, load_settings


def with_settings(*keys: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a Typer command one option for each named setting, plus `--set`, and pass it the loaded `settings`.

    Args:
        keys: dotted settings such as "sampling.steps" (option `--steps`). Two equal last parts need an alias:
            "dataset.synthetic.size=image-size" gives `--image-size`.

    The command must take a parameter `settings: Settings`; all its other parameters stay as they are.
    """
    options = dict(_option(key) for key in keys)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        own = [p for p in signature.parameters.values() if p.name != "settings"]
        added = [parameter for parameter, _ in options.values()]

        @functools.wraps(command)
        def run(**arguments: Any) -> None:
            overrides = _parse_assignments(arguments.pop("set_") or [])
            for name, (_, key) in options.items():
                value = arguments.pop(name)
                if value is not None:
                    overrides[key] = value
            command(settings=load_settings(overrides), **arguments)

        parameters = [*own, *added, _SET]
        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorate


_SET = inspect.Parameter(
    "set_",
    inspect.Parameter.KEYWORD_ONLY,
    default=None,
    annotation=Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other setting, e.g. tracking.uri=...")
    ],
)


def _option(key: str) -> tuple[str, tuple[inspect.Parameter, str]]:
    dotted, _, alias = key.partition("=")
    default, annotation, description = _field(dotted)
    flag = alias or dotted.rpartition(".")[2].replace("_", "-")
    name = flag.replace("-", "_")
    option = typer.Option(f"--{flag}", help=f"{description} [params.yaml: {dotted}; built-in: {default}]")
    parameter = inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[_plain(annotation) | None, option],  # type: ignore[operator]
    )
    return name, (parameter, dotted)


def _field(dotted: str) -> tuple[object, Any, str]:
    model: type[BaseModel] = Settings
    *parents, last = dotted.split(".")
    for parent in parents:
        annotation = model.model_fields[parent].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            raise TypeError(f"{dotted}: {parent} is not a section")
        model = annotation
    info = model.model_fields[last]
    return info.default, info.annotation, info.description or ""


def _plain(annotation: Any) -> Any:
    """The type Typer reads from the command line; pydantic checks the rest when the settings load."""
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = [part for part in get_args(annotation) if part is not NoneType]
    origin = get_origin(annotation)
    if origin is dict:
        # NAME=VALUE, any number of times.
        return list[str]
    named = origin is tuple and get_origin(get_args(annotation)[0]) is Literal
    return str if origin is Literal or named else annotation


def _parse_assignments(assignments: list[str]) -> dict[str, Any]:
    import yaml

    overrides = {}
    for assignment in assignments:
        key, sign, value = assignment.partition("=")
        if not sign:
            raise SettingsError(f"--set {assignment}: not KEY=VALUE", remedy="Write e.g. --set sampling.steps=10")
        overrides[key] = yaml.safe_load(value)
    return overrides
