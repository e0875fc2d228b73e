"""Parametric human bodies behind one protocol."""

from dreamactor_signals.body_models.protocol import Articulation, BodyModel

__all__ = ["Articulation", "BodyModel"]
