"""Close-ups: the head of a figure, turned, lit and seen from near or far, framed as the tracker frames face crops.

Legend: K faces of one person, U face units, N drawn vertices.
"""

from dataclasses import dataclass, replace

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_signals.head_angles import angles_of_rotation
from scipy.sparse import csr_matrix

from dreamactor_dataset.synthetic.figure.figure import Figure
from dreamactor_dataset.synthetic.figure.posing import BonePose, posed_skull, posed_vertices_m
from dreamactor_dataset.synthetic.framing import fitted
from dreamactor_dataset.synthetic.motion.gestures import head_rotation
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.rigging import rig_performance
from dreamactor_dataset.synthetic.render.background import make_background
from dreamactor_dataset.synthetic.render.camera import BODY_TO_CAMERA, Camera, look_at
from dreamactor_dataset.synthetic.render.lights import Lights, make_lights
from dreamactor_dataset.synthetic.render.scene import SUPERSAMPLING, Scene, draw

# Template height in decimetres from which on a close-up sees anything: below the collar bones.
_BUST_DM = 4.6
# Largest turns of the head against the camera; yaw is uniform, the others thin out.
_YAW_RAD, _PITCH_RAD, _ROLL_RAD = np.radians((60.0, 28.0, 22.0))
_DISTANCE_M = (0.6, 2.5)
# Pixels of a background that is out of focus anyway.
_BACKGROUND_PX = 96
# The face window that trackers' boxes lead to (`signals.faces.windows`), in boxes.
_WINDOW = 1.3


@dataclass(frozen=True)
class Pose:
    """How a head is held and seen, radians; of the yaw against the camera the neck has a share, the body the rest."""

    yaw: float
    pitch: float
    roll: float
    neck_share: float
    distance_m: float


@dataclass(frozen=True)
class CloseUp:
    """One face.

    Attributes:
        image: (S, S, 3) uint8; the middle `1 / margin` of it is the crop a tracker would make.
        angles_rad: (3,) true yaw, pitch, roll of the head against the camera (`signals.head_angles`).
        light: (4,) see `face_set.LIGHT_TRUTHS`.
        points: (3, 2) left eye, right eye and mouth of the face at rest, in sides of the picture.
    """

    image: np.ndarray
    angles_rad: np.ndarray
    light: np.ndarray
    points: np.ndarray


def bust(figure: Figure) -> Figure:
    """The part of a figure that a close-up sees; poses of the figure fit it."""
    from dreamactor_dataset.synthetic.figure.parts import Material

    height_dm = np.where(_of_material(figure, Material.EYE), np.inf, figure.place[:, 1])
    return part_of(figure, height_dm > _BUST_DM)


def _of_material(figure: Figure, material: int) -> np.ndarray:
    found = np.zeros(len(figure.rest_m), bool)
    found[figure.triangles[figure.material == material]] = True
    return found


def part_of(figure: Figure, keep_N: np.ndarray) -> Figure:
    """A figure of some of the vertices, with the triangles that lie wholly in them. The face must be among them."""
    kept = np.flatnonzero(keep_N)
    new = np.full(len(keep_N), -1)
    new[kept] = np.arange(len(kept))
    whole = keep_N[figure.triangles].all(axis=1)
    coordinates = (3 * kept[:, None] + np.arange(3)).ravel()
    return replace(
        figure,
        rest_m=figure.rest_m[kept],
        unit_offsets=csr_matrix(figure.unit_offsets[coordinates]),
        weights=csr_matrix(figure.weights[kept]),
        triangles=new[figure.triangles[whole]].astype(np.int32),
        material=figure.material[whole],
        two_sided=figure.two_sided[whole],
        keep=figure.keep[kept],
        place=figure.place[kept],
        uv=figure.uv[whole],
        openness=figure.openness[kept],
        folds=figure.folds[kept],
        face=new[figure.face],
        eyes=(int(new[figure.eyes[0]]), int(new[figure.eyes[1]])),
    )


def draw_pose(random: np.random.Generator) -> Pose:
    """A pose that tells nothing of who, what and in which light."""
    return Pose(
        yaw=float(random.uniform(-_YAW_RAD, _YAW_RAD)),
        pitch=float(np.clip(random.normal(0, _PITCH_RAD / 2), -_PITCH_RAD, _PITCH_RAD)),
        roll=float(np.clip(random.normal(0, _ROLL_RAD / 2), -_ROLL_RAD, _ROLL_RAD)),
        neck_share=float(random.uniform(0.1, 0.7)),
        distance_m=float(np.exp(random.uniform(*np.log(_DISTANCE_M)))),
    )


class Sitter:
    """One person, ready to be photographed.

    Args:
        figure: of `figure.build_figure`.
        size: side of the pictures in pixels.
        margin: side of a picture by the side of the face crop in its middle.
    """

    def __init__(self, figure: Figure, size: int, *, margin: float) -> None:
        self._bust = bust(figure)
        face = np.zeros(len(figure.rest_m), bool)
        face[figure.face] = face[list(figure.eyes)] = True
        self._face = part_of(figure, face)
        self._lips = _lips(self._face)
        self._size, self._fill = size, 1 / (_WINDOW * margin)

    def photograph(self, poses: list[Pose], units_KU: np.ndarray, randoms: list[np.random.Generator]) -> list[CloseUp]:
        """Faces in given poses and expressions, in light and before backgrounds drawn from a generator each."""
        bones = rig_performance(self._bust, _performance(poses))
        return [
            self._one(bones, number, pose, units_KU[number], random)
            for number, (pose, random) in enumerate(zip(poses, randoms, strict=True))
        ]

    def _one(
        self, bones: BonePose, number: int, pose: Pose, units_U: np.ndarray, random: np.random.Generator
    ) -> CloseUp:
        # The window follows the head and not the jaw, as a steadied one does: it is laid around the face at rest.
        rest_m = posed_vertices_m(self._face, bones, number, 0 * units_U)
        camera = self._camera(rest_m, pose.distance_m)
        lights = make_lights(random)
        scene = Scene(self._bust, camera, lights, _background(random, self._size * SUPERSAMPLING))
        image, _ = draw(scene, posed_vertices_m(self._bust, bones, number, units_U))
        rotation = posed_skull(self._bust, bones)[0][number]
        angles = angles_of_rotation(camera.rotation @ rotation @ BODY_TO_CAMERA.T)
        return CloseUp(image, np.array(angles, np.float32), _light_truth(lights), self._points(rest_m, camera))

    def _points(self, rest_m: np.ndarray, camera: Camera) -> np.ndarray:
        points_m = np.stack([*rest_m[list(self._face.eyes)], rest_m[self._lips].mean(axis=0)])
        return (camera.to_pixels(camera.to_camera(points_m)) / self._size).astype(np.float32)

    def _camera(self, face_m: np.ndarray, distance_m: float) -> Camera:
        def camera(center_m: np.ndarray, half_span_m: float) -> Camera:
            focal_px = self._size / 2 * distance_m / half_span_m
            return look_at(center_m, distance_m, 0.0, 0.0, focal_px, (self._size, self._size))

        return fitted(camera, face_m.astype(np.float64), self._fill)


def _lips(face: Figure) -> np.ndarray:
    """Vertices that pursing moves most."""
    moves_m = np.linalg.norm(face.unit_offsets[:, [ARKIT_UNITS.index("mouthPucker")]].toarray().reshape(-1, 3), axis=1)
    return np.flatnonzero(moves_m > moves_m.max() / 2)


def _performance(poses: list[Pose]) -> Performance:
    """The poses as frames: the body turns by the yaw that the neck does not."""
    yaw, pitch, roll, share = (
        np.array([getattr(pose, name) for pose in poses]) for name in ("yaw", "pitch", "roll", "neck_share")
    )
    performance = Performance(len(poses))
    performance.turn("root", head_rotation((1 - share) * yaw, 0 * yaw, 0 * yaw))
    performance.turn("neck", head_rotation(share * yaw, pitch, roll))
    return performance


def _background(random: np.random.Generator, size: int) -> np.ndarray:
    import cv2

    small = make_background(random, _BACKGROUND_PX, _BACKGROUND_PX)
    return np.asarray(cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR))


def _light_truth(lights: Lights) -> np.ndarray:
    side, down, _ = lights.key_direction
    return np.array((side, -down, lights.key.mean(), lights.sky.mean()), np.float32)
