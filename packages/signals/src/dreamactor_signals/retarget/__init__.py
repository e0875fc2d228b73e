"""One person's motion on another person's body (paper 3.2, bone length adjustment; design 4)."""

from dreamactor_signals.retarget.performance import retarget

__all__ = ["retarget"]
