"""The tracker that needs no download: its networks lie inside installed wheels."""

from dreamactor_signals.trackers.embedded.tracker import EmbeddedTracker

__all__ = ["EmbeddedTracker"]
