"""One image and one performance become a video: the inference of paper Fig. 3."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dreamactor_model.animate.animator import Animator
    from dreamactor_model.animate.request import AnimateRequest, AnimateResult

__all__ = ["AnimateRequest", "AnimateResult", "Animator"]
_HOMES = {"Animator": "animator", "AnimateRequest": "request", "AnimateResult": "request"}


def __getattr__(name: str) -> object:
    # The command line imports this package to show its help; numpy and torch may only load when something runs.
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
