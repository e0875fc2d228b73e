"""The mmpose tracker: keypoints from a network given by path, a fitted body from these."""

from dreamactor_signals.trackers.mmpose.tracker import MmposeTracker

__all__ = ["MmposeTracker"]
