"""Faces: steady square windows, crops for the face motion encoder, and what must be known of each crop (paper 3.1)."""

from dreamactor_signals.faces.condition import FaceCondition, face_condition
from dreamactor_signals.faces.crops import crop_faces, stream_face_crops
from dreamactor_signals.faces.windows import face_windows

__all__ = ["FaceCondition", "crop_faces", "face_condition", "face_windows", "stream_face_crops"]
