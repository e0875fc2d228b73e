"""Fit what the embedded tracker knows of heads to the calibration cast.

`python -m benchmarks.signals_parts.calibrate_head` writes `average_face.safetensors` and the tracker's
`head_calibration.safetensors`. Nothing of
the held-out cast is touched.

Legend: N frames, V vertices, K principal components, F terms, A = 3 angles, U face units.
"""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from dreamactor_core.console import progress, say
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.files import save_tensors
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_dataset.synthetic.clip import Clip
from dreamactor_signals.average_face import AVERAGE_FACE_FILE, AverageFace
from dreamactor_signals.litert.wheels import FACE, face_member
from dreamactor_signals.trackers.embedded.body import BodyNetworks, BodyReader
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.face import FaceNetworks, FaceReader
from dreamactor_signals.trackers.embedded.head import ray_rotation
from dreamactor_signals.trackers.embedded.head_calibration import (
    CALIBRATION_FILE,
    HeadCalibration,
    roll_nod_yaw,
    terms,
)
from dreamactor_signals.trackers.embedded.head_place import Apart, apart, place_terms
from dreamactor_signals.trackers.embedded.readings import HeadReading
from dreamactor_signals.trackers.people import People

from benchmarks.signals_parts.bundled_face import rigid_landmarks
from benchmarks.signals_parts.turning_heads import CALIBRATION_CAST, looking_around

_FRAMES = 24
_COMPONENTS = 20
# Ridge: of terms of the angles alone, and of those with components of the shape.
_RIDGE_ANGLES, _RIDGE_SHAPE = 0.001, 0.03
_RIDGE_UNITS = 0.0003
_VERTICES = 468
_DISTANCES = 22
_RIDGE_PLACE = 0.03


@dataclass(frozen=True)
class Seen:
    """One frame: what the network saw and what was true.

    Attributes:
        person: number.
        landmarks_px: (V, 3) x, y, depth.
        rotation: (3, 3) the true head, along its own ray.
        center_px, radius_px, radius_m: the true skull.
        units: (U,) the true expression.
        body_px: (P, 2) the body's points, or None where no body was found.
    """

    person: int
    landmarks_px: np.ndarray
    rotation: np.ndarray
    center_px: np.ndarray
    radius_px: float
    radius_m: float
    units: np.ndarray
    body_px: np.ndarray | None


def calibrate() -> None:
    """Film the cast, read its landmarks, fit, write the file."""
    seen: list[Seen] = []
    for number, person in enumerate(progress(CALIBRATION_CAST, "filming heads", len(CALIBRATION_CAST))):
        seen += read_landmarks(number, looking_around(person, _FRAMES))
    calibration = fit(seen)
    cast = hashlib.sha256(repr((CALIBRATION_CAST, _FRAMES)).encode()).hexdigest()[:12]
    header = {"network": FACE.label(), "people": len(CALIBRATION_CAST), "frames": len(seen), "cast": cast}
    save_tensors(AVERAGE_FACE_FILE, face_tensors(calibration.face), header)
    save_tensors(CALIBRATION_FILE, calibration_tensors(calibration), header)
    say(f"{CALIBRATION_FILE}: {len(seen)} frames of {len(CALIBRATION_CAST)} people")


def read_landmarks(person: int, clip: Clip) -> list[Seen]:
    """The frames in which the face network finds the face."""
    settings = SignalsSettings()
    camera = Camera.assumed(clip.track.frame_size, settings.field_of_view_deg)
    landmarks_px: list[np.ndarray] = []

    def keep(points_px: np.ndarray, depth_px: np.ndarray, _: Camera, *, confidence: float) -> HeadReading:
        landmarks_px.append(np.column_stack([points_px, depth_px])[:_VERTICES])
        return HeadReading(np.eye(3), np.zeros(3), confidence)

    body = BodyReader(BodyNetworks(threads=1, min_score=settings.min_score), People.of(settings))
    face = FaceReader(FaceNetworks(threads=1, min_score=settings.min_score), camera, keep)
    seen = []
    for frame, picture in enumerate(clip.frames):
        reading = body.read(picture)
        if face.read(picture, reading) is not None:
            points_px = None if reading is None else reading.points_px
            seen.append(_with_truth(person, landmarks_px[-1], points_px, clip, frame))
    return seen


def _with_truth(person: int, landmarks_px: np.ndarray, body_px: np.ndarray | None, clip: Clip, frame: int) -> Seen:
    track = clip.track
    center_cam_m = track.head_center_cam_m[frame].astype(np.float64)
    radius_m = float(track.head_radius_m[frame])
    rotation = ray_rotation(center_cam_m).T @ track.head_rotation[frame].astype(np.float64)
    return Seen(
        person,
        landmarks_px,
        rotation,
        track.project(center_cam_m),
        track.focal_px * radius_m / float(center_cam_m[2]),
        radius_m,
        np.zeros(len(ARKIT_UNITS)) if track.face_units is None else track.face_units[frame],
        body_px,
    )


def fit(seen: list[Seen]) -> HeadCalibration:
    """Average face, components of the deviation from it, and the linear map to corrections."""
    skull_radius_m = _mean_by_person(seen, [np.array(one.radius_m) for one in seen]).item()
    indices, rigid_weights = rigid_landmarks(face_member("geometry_pipeline_metadata_landmarks.binarypb"))
    points_head_m = mean_face(seen, indices, rigid_weights, skull_radius_m)
    face = AverageFace(points_head_m, skull_radius_m, np.zeros((len(ARKIT_UNITS), 3 * _VERTICES)))
    uncorrected = HeadCalibration(
        face=face,
        rigid_indices=indices,
        rigid_weights=rigid_weights,
        components=np.zeros((0, 3 * _VERTICES)),
        mean_deviation_m=np.zeros(3 * _VERTICES),
        weights=np.zeros((12, 6)),
        gains=np.ones(3),
        body_by_angles=np.zeros((12, _DISTANCES)),
        place_weights=np.zeros((12 + 2 * _DISTANCES, 2)),
    )
    laid = [uncorrected.lay_upon(one.landmarks_px) for one in seen]
    deviations_N3V = np.array([deviation_m for *_, deviation_m in laid])
    mean_3V = deviations_N3V.mean(axis=0)
    _, _, basis = np.linalg.svd(deviations_N3V - mean_3V, full_matrices=False)
    scores_NK = (deviations_N3V - mean_3V) @ basis[:_COMPONENTS].T
    spread_K = scores_NK.std(axis=0)
    angles_NA = roll_nod_yaw(np.array([turn for turn, *_ in laid]))
    wrong_N6 = np.array([_wrong(one, *parts[:3], skull_radius_m) for one, parts in zip(seen, laid, strict=True)])
    terms_NF = terms(angles_NA, scores_NK / spread_K)
    weights_F6 = _ridge(terms_NF, wrong_N6, np.array([one.person for one in seen]))
    corrected_NA, true_NA = angles_NA + (terms_NF @ weights_F6)[:, :3], angles_NA + wrong_N6[:, :3]
    slopes = [np.polyfit(true_NA[:, axis], corrected_NA[:, axis], 1)[0] for axis in range(3)]
    corrected = HeadCalibration(
        face=replace(face, unit_offsets_m=unit_offsets(seen, terms(angles_NA, scores_NK[:, :0]), deviations_N3V)),
        rigid_indices=indices,
        rigid_weights=rigid_weights,
        components=basis[:_COMPONENTS] / spread_K[:, None],
        mean_deviation_m=mean_3V,
        weights=weights_F6,
        gains=1 / np.array(slopes),
        body_by_angles=uncorrected.body_by_angles,
        place_weights=uncorrected.place_weights,
    )
    body_by_angles, place_weights = fit_place(seen, corrected)
    return replace(corrected, body_by_angles=body_by_angles, place_weights=place_weights)


def fit_place(seen: list[Seen], calibration: HeadCalibration) -> tuple[np.ndarray, np.ndarray]:
    """What `head_place` multiplies with: distances by angles (12, D), and terms to shifts (12 + 2D, 2)."""
    by_person: dict[int, list[tuple[Apart, np.ndarray]]] = {}
    for one in seen:
        if one.body_px is not None:
            head = calibration.correct(one.landmarks_px)
            frame = apart(head.rotation, head.center_px, head.radius_px, one.body_px, calibration.face)
            missing = frame.axes @ (one.center_px - head.center_px) / head.radius_px
            by_person.setdefault(one.person, []).append((frame, missing))
    frames = [frame for of_person in by_person.values() for frame, _ in of_person]
    angle_terms = np.array([frame.angle_terms for frame in frames])
    distances = np.array([frame.distances for frame in frames])
    body_by_angles = np.linalg.lstsq(angle_terms, distances, rcond=None)[0]
    of_people = [place_terms([frame for frame, _ in person], body_by_angles) for person in by_person.values()]
    terms_NF = np.concatenate(of_people)
    missing_N2 = np.array([missing for of_person in by_person.values() for _, missing in of_person])
    spread_F = np.maximum(terms_NF.std(axis=0), 1e-9)
    # The first term is one: it carries the mean and is not held back.
    spread_F[0] = 1.0
    scaled_NF = terms_NF / spread_F
    ridge_F = np.full(len(spread_F), _RIDGE_PLACE * len(scaled_NF))
    ridge_F[0] = 0.0
    weights = np.linalg.solve(scaled_NF.T @ scaled_NF + np.diag(ridge_F), scaled_NF.T @ missing_N2)
    return body_by_angles, weights / spread_F[:, None]


def unit_offsets(seen: list[Seen], angle_terms_NF: np.ndarray, deviations_N3V: np.ndarray) -> np.ndarray:
    """(U, 3V) metres by which each face unit moves the landmarks, whoever has them and however the head is turned.

    Units that the cast never shows move nothing.
    """
    persons_N = np.array([one.person for one in seen])
    units_NU = np.array([one.units for one in seen])
    causes = _within_person(np.concatenate([units_NU, angle_terms_NF], axis=1), persons_N)
    ridge = _RIDGE_UNITS * len(seen) * np.eye(causes.shape[1])
    offsets = np.linalg.solve(causes.T @ causes + ridge, causes.T @ _within_person(deviations_N3V, persons_N))
    return np.asarray(offsets[: units_NU.shape[1]])


def _within_person(values_NF: np.ndarray, persons_N: np.ndarray) -> np.ndarray:
    """What differs from each person's own mean."""
    means = {person: values_NF[persons_N == person].mean(axis=0) for person in np.unique(persons_N)}
    return values_NF - np.array([means[person] for person in persons_N])


def mean_face(seen: list[Seen], indices: np.ndarray, rigid_weights: np.ndarray, skull_radius_m: float) -> np.ndarray:
    """(V, 3) metres from the skull's centre: every frame turned back by its true rotation, brought to one skull size.

    How deep the face lies in front of the skull no picture of a face tells; but turned heads do: the skull's centre is
    the point about which the landmarks' middle swings.
    """
    share = rigid_weights / rigid_weights.sum()
    middles_px = [share @ one.landmarks_px[indices] for one in seen]
    shapes = [
        (one.landmarks_px - middle) @ one.rotation * (skull_radius_m / one.radius_px)
        for one, middle in zip(seen, middles_px, strict=True)
    ]
    # Middle minus skull centre in the picture = the first two rows of the rotation times the arm, frame by frame.
    arms = np.concatenate([one.rotation[:2] for one in seen])
    swings = np.concatenate(
        [
            (middle[:2] - one.center_px) * (skull_radius_m / one.radius_px)
            for one, middle in zip(seen, middles_px, strict=True)
        ]
    )
    arm_m = np.linalg.lstsq(arms, swings, rcond=None)[0]
    # A face on average is as wide to one side as to the other.
    arm_m[0] = 0.0
    shape_m = _mean_by_person(seen, shapes)
    return np.asarray(shape_m - share @ shape_m[indices] + arm_m)


def _wrong(
    one: Seen, turn: np.ndarray, pixels_per_m: float, center_px: np.ndarray, skull_radius_m: float
) -> np.ndarray:
    """(6,) what is missing: angles, relative radius, centre in metres."""
    angles = roll_nod_yaw(one.rotation) - roll_nod_yaw(turn)
    radius = one.radius_px / (pixels_per_m * skull_radius_m) - 1
    return np.concatenate([angles, [radius], (one.center_px - center_px) / pixels_per_m])


def _ridge(terms_NF: np.ndarray, wanted_N6: np.ndarray, persons_N: np.ndarray) -> np.ndarray:
    """(F, 6) least squares in which every person counts alike."""
    counts = np.bincount(persons_N)
    weighted_NF = terms_NF * (counts.mean() / counts[persons_N])[:, None]
    angle_terms = terms_NF.shape[1] - 3 * _COMPONENTS
    ridge_F = np.where(np.arange(terms_NF.shape[1]) < angle_terms, _RIDGE_ANGLES, _RIDGE_SHAPE) * len(terms_NF)
    return np.linalg.solve(weighted_NF.T @ terms_NF + np.diag(ridge_F), weighted_NF.T @ wanted_N6)


def _mean_by_person(seen: list[Seen], values: list[np.ndarray]) -> np.ndarray:
    persons = np.array([one.person for one in seen])
    stacked = np.array(values)
    return np.asarray(np.mean([stacked[persons == person].mean(axis=0) for person in np.unique(persons)], axis=0))


def face_tensors(face: AverageFace) -> dict[str, np.ndarray]:
    """What the average face's file holds; the units' offsets are most of it and need few digits."""
    return {
        "points_head_m": face.points_head_m.astype(np.float32),
        "skull_radius_m": np.array([face.skull_radius_m], np.float32),
        "unit_offsets_m": face.unit_offsets_m.astype(np.float16),
    }


def calibration_tensors(calibration: HeadCalibration) -> dict[str, np.ndarray]:
    """What the calibration's file holds; components are most of it and need few digits."""
    return {
        "rigid_indices": calibration.rigid_indices.astype(np.int32),
        "rigid_weights": calibration.rigid_weights.astype(np.float32),
        "components": calibration.components.astype(np.float16),
        "mean_deviation_m": calibration.mean_deviation_m.astype(np.float32),
        "weights": calibration.weights.astype(np.float32),
        "gains": calibration.gains.astype(np.float32),
        "body_by_angles": calibration.body_by_angles.astype(np.float32),
        "place_weights": calibration.place_weights.astype(np.float32),
    }


if __name__ == "__main__":
    calibrate()
