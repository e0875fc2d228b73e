"""Trackers: video frames to a motion track. One protocol, chosen by settings."""

from dreamactor_signals.trackers.protocol import Tracker, make_tracker, tracker_sha256

__all__ = ["Tracker", "make_tracker", "tracker_sha256"]
