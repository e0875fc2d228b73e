"""When a joint, a head or a face counts as seen."""

SEEN = 0.3
"""Confidence from which a part is drawn, measured and used to judge the framing. Anything above 0 has a position."""
