"""One image and one performance become a video: the inference of paper Fig. 3."""

from dreamactor_model.animate.request import AnimateRequest, AnimateResult

__all__ = ["AnimateRequest", "AnimateResult", "Animator"]


def __getattr__(name: str) -> object:
    # The animator imports torch; requests and their checks must not.
    if name == "Animator":
        from dreamactor_model.animate.animator import Animator

        return Animator
    raise AttributeError(name)
