"""One person's motion on another person's body (paper 3.2, bone length adjustment; design 4)."""

from dreamactor_signals.retarget.performance import retarget
from dreamactor_signals.retarget.standardizer import PoseStandardizer, load_standardizer

__all__ = ["PoseStandardizer", "load_standardizer", "retarget"]
