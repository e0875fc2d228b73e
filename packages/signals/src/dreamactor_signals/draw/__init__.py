"""From motion tracks to pictures: the control maps that the model reads, and overlays that people look at."""

from dreamactor_signals.draw.control_maps import control_maps
from dreamactor_signals.draw.overlay import overlay

__all__ = ["control_maps", "overlay"]
