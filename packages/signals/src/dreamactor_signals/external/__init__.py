"""Results of other programs as motion tracks: bodies of 4DHumans, hands of HaMeR, heads of FaceVerse."""

from dreamactor_signals.external.compose import import_track

__all__ = ["import_track"]
