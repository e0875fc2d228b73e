"""A head cut out of a picture: the surface wears the picture, turns with the head and moves with the face.

Legend: H W rows and columns, C channels.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from dreamactor_signals.draw.mesh.triangles import vertex_normals
from dreamactor_signals.rotations import rotation_of_vector, vector_of_rotation
from dreamactor_signals.warp.beside import beside_face, nearest, sources_beside
from dreamactor_signals.warp.cutting import edge_px
from dreamactor_signals.warp.eyes import draw_eyes, eye_centers, gaze, move_lids, newly_seen
from dreamactor_signals.warp.head import Head
from dreamactor_signals.warp.head_mesh import HALF_A_FACE, head_mesh, mouth_opening
from dreamactor_signals.warp.layer import Layer, Window, extent
from dreamactor_signals.warp.skull import outline, reach, shaped_skull
from dreamactor_signals.warp.spreading import spread

_HALF = np.array([0.5, 0.5])
# Skin counts as seen by the reference when nothing is nearer by more than this, in radii.
_HIDDEN = 0.15
# Skin that the reference saw at less than these shares of the angle of now comes to be taken from elsewhere.
_BADLY_SEEN, _WELL_SEEN = 0.15, 0.45
# Cosines are compared above this: at the rim they are as good as equal.
_GRAZING = 0.05
# Faces are as long as these, in that of the average one; a chin is told from heads that face the camera at this cosine.
_LENGTHS, _LEAST_FACING_CHIN = (0.85, 1.15), 0.5
# Between these turns, holes of the head come to be painted, and profiles beyond the surface to be left out.
_LITTLE_RAD, _MUCH_RAD = np.radians((15, 40))
# A face beyond the average one's outline, in radii: noses, lips.
_OUTSTANDING = 0.25
_HALF_A_PIXEL = 0.5
# No hair beside the surface is moved farther by the face that it goes with, in radii: moves fade with distance.
_PULLED = 0.6
# How far what is seen of an eyeball is continued behind its lids, in radii.
_EYEBALL = 0.15
# What the far half of a head is made of is looked for so far inside the outline, and trusted so much.
_INSIDE, _FAR = 0.08, 0.1
_SOFT_PX = 0.7
_MOUTH_RGB = (45.0, 15.0, 15.0)
_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class HeadPiece:
    """A head, cut out of a picture.

    Attributes:
        place: where it is in the picture.
        picture_HW4: RGB times its share of the pixel, and that share.
        face_px: (F, 2) where it shows the average face's points, or None where nobody knows.
    """

    place: Head
    picture_HW4: np.ndarray
    face_px: np.ndarray | None = None

    def moved(self, now: Head) -> Layer:
        """What it looks like when it is there instead, turned, and with that expression.

        What the reference shows badly or not at all is taken from the other half of the face, and what neither shows is
        made of what is around it.
        """
        window = self._window(now)
        if window.is_empty:
            return Layer.nothing()
        return Layer(window, self._look(now.seen_from(window.corner_px), window.shape))

    def _window(self, now: Head) -> Window:
        """Around the surface as it is then, and all that the picture has beside it."""
        size = max(self.picture_HW4.shape[:2])
        growth = now.skull_px / self.place.skull_px
        roll, _ = self._turn(now)
        low, high = extent(self.picture_HW4[..., 3], beyond=size * max(1, 1 / growth)) - self.place.center_px
        corners_42 = np.array([(x, y) for x in (low[0], high[0]) for y in (low[1], high[1])])
        beside_N2 = now.center_px + growth * (corners_42 @ roll)
        points_N2 = np.concatenate([now.project(self._points_now(now) @ now.rotation.T), beside_N2])
        return Window.around(points_N2, _PULLED * now.skull_px, self.picture_HW4.shape)

    def _look(self, now: Head, shape: tuple[int, int]) -> np.ndarray:
        """(H, W, 4) a picture of that shape in which the head is there."""
        seen = self._see(now, shape)
        own = self._look_for(seen.skin_HW3, seen.normals_HW3, seen)
        others = self._look_for(seen.skin_HW3 * _MIRROR, seen.normals_HW3 * _MIRROR, seen)
        roll, turned = self._turn(now)
        beside_HW2 = sources_beside(own.at_HW2, seen.on_HW, seen.is_face_HW, now, self.place, roll)
        sources_HW2 = np.where(seen.on_HW[..., None], own.at_HW2, beside_HW2)
        surface_HW4 = self._surface(seen, replace(own, at_HW2=sources_HW2), others, turned)
        beside_HW4 = _looked_up(self.picture_HW4, sources_HW2)
        # Nothing of a face stays beside the turned head, and no hair before the turned face.
        beside_HW4 *= 1 - turned * _looked_up(self._face, sources_HW2)[..., None]
        comes_HW = beside_face(seen.on_HW, seen.is_face_HW) * (1 - _looked_up(self._beside_face, sources_HW2))
        beside_HW4 *= 1 - turned * comes_HW[..., None]
        surface_HW4 = np.where(seen.on_HW[..., None], surface_HW4, beside_HW4)
        inside_HW1 = _soft(seen.on_HW)
        return np.asarray(beside_HW4 + inside_HW1 * (surface_HW4 - beside_HW4), dtype=np.float32)

    def _surface(self, seen: "_Seen", own: "_Sources", others: "_Sources", turned: float) -> np.ndarray:
        """(H, W, 4) the surface as the frame shows it; the less it is turned, the more it is as it was cut out."""
        cut_HW4 = self.picture_HW4 + turned * (self._inner - self.picture_HW4)
        others_HW = (1 - own.trust_HW) * others.trust_HW
        own_HW = own.trust_HW + (1 - turned) * (1 - own.trust_HW - others_HW)
        known_HW4 = _soft(own_HW) * _looked_up(cut_HW4, own.at_HW2)
        known_HW4 += _soft(others_HW) * _looked_up(cut_HW4, others.at_HW2)
        skin_HW3 = spread(known_HW4 * seen.on_HW[..., None])
        share_HW1 = _share(own.trust_HW, others.trust_HW, seen.on_HW)
        eyes_HW4 = share_HW1 * _looked_up(self._eyeballs, own.at_HW2)
        eyes_HW4 += (1 - share_HW1) * _looked_up(self._eyeballs, others.at_HW2)
        eyes_HW4 += seen.drawn_HW1 * (draw_eyes(seen.iris_HW2) - eyes_HW4)
        surface_HW4 = np.concatenate([skin_HW3, np.ones_like(share_HW1)], axis=-1)
        surface_HW4 += seen.eyes_HW1 * (eyes_HW4 - surface_HW4)
        surface_HW4 += seen.mouth_HW1 * ((*_MOUTH_RGB, 1.0) - surface_HW4)
        was_cut_HW = _looked_up(self.picture_HW4[..., 3], own.at_HW2)
        return np.asarray(surface_HW4 * (was_cut_HW + turned * (1 - was_cut_HW))[..., None])

    def _points_now(self, now: Head) -> np.ndarray:
        """(V, 3) of the surface in another frame. An expression that only one of both knows moves nothing."""
        if now.units is None or self.place.units is None:
            return self._points
        mesh, here_V3 = head_mesh(), self._points
        now_V3 = here_V3 + np.tensordot(now.units - self.place.units, mesh.unit_moves, axes=1)
        return move_lids(now_V3, here_V3, mesh.points, now.units, self.place.units)[mesh.twins]

    def _see(self, now: Head, shape: tuple[int, int]) -> "_Seen":
        """What of the surface is seen in another frame."""
        mesh, here_V3 = head_mesh(), self._points
        now_V3, source_V3 = self._points_now(now), here_V3
        if now.units is not None and self.place.units is not None:
            source_V3 = _behind_lids(here_V3, now_V3, gaze(now.units) - gaze(self.place.units))
        opened = max(0.0, 1 - mouth_opening(here_V3) / max(mouth_opening(now_V3), 1e-6))
        values = (
            source_V3,
            vertex_normals(now_V3, mesh.triangles),
            opened * mesh.is_mouth[:, None],
            mesh.eyes.sum(axis=0)[:, None],
            mesh.is_face[:, None],
            *_eyes_to_draw(now_V3, now.units, self.place.units),
        )
        on_HW, values_HWC = now.surface(shape, now_V3, np.concatenate(values, axis=1))
        skin, normals, mouth, eyes, face, drawn, iris = np.split(values_HWC, (3, 6, 7, 8, 9, 10), axis=-1)
        facing_HW = -(normals @ now.rotation.T)[..., 2]
        return _Seen(on_HW, skin, normals, facing_HW, mouth, eyes, face[..., 0] > HALF_A_FACE, drawn, iris)

    def _look_for(self, skin_HW3: np.ndarray, normals_HW3: np.ndarray, seen: "_Seen") -> "_Sources":
        """Where the picture shows points of the head. Those on the far half are looked for at its outline.

        Args:
            skin_HW3, normals_HW3: in head coordinates.
        """
        here_HW3 = skin_HW3 @ self.place.rotation.T
        facing_here_HW = -(normals_HW3 @ self.place.rotation.T)[..., 2]
        is_far_HW = (here_HW3[..., 2] > 0) & (facing_here_HW < 0)
        length_HW = np.linalg.norm(here_HW3[..., :2], axis=-1)
        rim_HW = reach(self._outline, here_HW3[..., :2]) - _INSIDE
        to_rim_HW = np.where(is_far_HW, np.maximum(1, rim_HW / np.maximum(length_HW, 1e-6)), 1)
        sources_HW2 = self.place.project(here_HW3 * to_rim_HW[..., None])
        hidden_HW = here_HW3[..., 2] - _looked_up(self._depth, sources_HW2, cv2.INTER_NEAREST) > _HIDDEN
        ratio_HW = (facing_here_HW + _GRAZING) / (np.maximum(seen.facing_HW, 0) + _GRAZING)
        trust_HW = (
            np.where(seen.facing_HW > 0, ((ratio_HW - _BADLY_SEEN) / (_WELL_SEEN - _BADLY_SEEN)).clip(0, 1), 1.0)
            * ~hidden_HW
        )
        trust_HW = np.maximum(trust_HW, _FAR * (is_far_HW & ~seen.is_face_HW))
        return _Sources(sources_HW2, trust_HW)

    def _turn(self, now: Head) -> tuple[np.ndarray, float]:
        """(2, 2) what a turn does in the picture, from there to here, and how far it leads out of it, 0 to 1."""
        turn = self.place.rotation @ now.rotation.T
        angle_rad = np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1])
        roll = rotation_of_vector(np.array([0, 0, angle_rad]))
        swing_rad = float(np.linalg.norm(vector_of_rotation(turn @ roll.T)))
        return roll[:2, :2], float(np.clip((swing_rad - _LITTLE_RAD) / (_MUCH_RAD - _LITTLE_RAD), 0, 1))

    @cached_property
    def _length(self) -> float:
        """Of this person's face, in that of the average one."""
        facing = self.place.rotation[2, 2]
        if self.place.face_box_px is None or facing < _LEAST_FACING_CHIN:
            return 1.0
        points = head_mesh().shaped(self.place.units) @ self.place.rotation.T
        lowest_px = self.place.project(points[head_mesh().is_face > 0])[:, 1].max()
        top_px = self.place.center_px[1]
        return float(np.clip((self.place.face_box_px[3] - top_px) / max(lowest_px - top_px, 1e-6), *_LENGTHS))

    @cached_property
    def _points(self) -> np.ndarray:
        """(V, 3) of the surface as the picture shows it: where its face is seen, as deep as the average one."""
        mesh = head_mesh()
        if self.face_px is None:
            return shaped_skull(mesh.shaped(self.place.units, self._length), self.place, self._outline)
        points_V3 = mesh.shaped(self.place.units) @ self.place.rotation.T
        points_V3[: len(self.face_px), :2] = (self.face_px - self.place.center_px) / self.place.skull_px
        return shaped_skull(points_V3[mesh.twins] @ self.place.rotation, self.place, self._outline)

    @cached_property
    def _outline(self) -> np.ndarray:
        return outline(self.place, np.ascontiguousarray(self._inner[..., 3]))

    @cached_property
    def _inner(self) -> np.ndarray:
        """The picture without what is mixed with the scenery at its rim."""
        rim = _disc(edge_px(self.picture_HW4.shape) + 1)
        is_inner_HW = cv2.erode(np.float32(self.picture_HW4[..., 3] > _HALF_A_PIXEL), rim)
        return self.picture_HW4 * is_inner_HW[..., None]

    @cached_property
    def _eyeballs(self) -> np.ndarray:
        """The picture with what is seen through the lids going on beyond them."""
        on_HW, values_HW3 = self._surface_here
        is_eye_HW = on_HW & (values_HW3[..., 2] > _HALF_A_PIXEL)
        if not is_eye_HW.any():
            return self.picture_HW4
        far_HW, nearest_HW = nearest(is_eye_HW)
        around_HW = far_HW < _EYEBALL * self.place.skull_px
        return np.where(around_HW[..., None], self.picture_HW4.reshape(-1, 4)[nearest_HW], self.picture_HW4)

    @cached_property
    def _surface_here(self) -> tuple[np.ndarray, np.ndarray]:
        """(H, W) bool and (H, W, 3): depth in radii from the skull's centre, 1 where there is face, 1 where an eye."""
        depth_V = self._points @ self.place.rotation[2]
        values_V3 = np.stack([depth_V, head_mesh().is_face, head_mesh().eyes.sum(axis=0)], axis=-1)
        on_HW, values_HW3 = self.place.surface(self.picture_HW4.shape, self._points, values_V3)
        return on_HW, values_HW3

    @cached_property
    def _depth(self) -> np.ndarray:
        on_HW, values_HW3 = self._surface_here
        return np.where(on_HW, values_HW3[..., 0], np.float32(np.inf))

    @cached_property
    def _face(self) -> np.ndarray:
        """1 on the face and where it may stand out beyond the average one, else 0."""
        on_HW, values_HW3 = self._surface_here
        face_HW = on_HW & (values_HW3[..., 1] > HALF_A_FACE)
        kernel = _disc(max(1, round(_OUTSTANDING * self.place.skull_px)))
        return np.asarray(cv2.dilate(face_HW.astype(np.float32), kernel))

    @cached_property
    def _beside_face(self) -> np.ndarray:
        on_HW, values_HW3 = self._surface_here
        return beside_face(on_HW, values_HW3[..., 1] > HALF_A_FACE)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What a frame shows of the surface.

    Attributes:
        on_HW: bool, where it does.
        skin_HW3, normals_HW3: what is there, in coordinates of the reference's head, and the frame's normals.
        facing_HW: cosines to the camera.
        mouth_HW1: how much the inside of an open mouth is seen, 0 to 1.
        eyes_HW1: 1 where eyes are seen through their lids, else 0.
        is_face_HW: bool, where it is the face and not the skull.
        drawn_HW1: how much of them the reference does not show, 0 to 1.
        iris_HW2: there, right and down from the iris, in radii.
    """

    on_HW: np.ndarray
    skin_HW3: np.ndarray
    normals_HW3: np.ndarray
    facing_HW: np.ndarray
    mouth_HW1: np.ndarray
    eyes_HW1: np.ndarray
    is_face_HW: np.ndarray
    drawn_HW1: np.ndarray
    iris_HW2: np.ndarray


@dataclass(frozen=True, eq=False)
class _Sources:
    """Places in the reference, in pixels, and how well it shows them, 0 to 1."""

    at_HW2: np.ndarray
    trust_HW: np.ndarray


def _behind_lids(here_V3: np.ndarray, now_V3: np.ndarray, turned_S3: np.ndarray) -> np.ndarray:
    """(V, 3) the points of the picture, but where eyes are seen: what is there however the lids move, turned."""
    source_V3 = here_V3.copy()
    for eye_V, moved_3 in zip(head_mesh().eyes > 0, turned_S3, strict=True):
        source_V3[eye_V] = now_V3[eye_V] - moved_3
    return source_V3


def _eyes_to_draw(
    now_V3: np.ndarray, units_now: np.ndarray | None, units_here: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """(V, 1) how much of an eye the reference does not show, its lids being closed, and (V, 2) from the iris."""
    mesh = head_mesh()
    if units_now is None or units_here is None:
        return np.zeros((len(now_V3), 1)), np.zeros((len(now_V3), 2))
    drawn_V1 = (mesh.eyes.T @ newly_seen(units_now, units_here))[:, None]
    iris_V3 = mesh.eyes.T @ (eye_centers(now_V3) + gaze(units_now))
    return drawn_V1, now_V3[:, :2] - iris_V3[:, :2]


def _disc(radius_px: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1, 2 * radius_px + 1))


def _soft(share_HW: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(share_HW.astype(np.float32), (0, 0), _SOFT_PX)[..., None]


def _share(trust_HW: np.ndarray, others_trust_HW: np.ndarray, on_HW: np.ndarray) -> np.ndarray:
    """(H, W, 1) how much of a pixel is taken from its own side. Where neither half shows it: its own."""
    others_HW = (1 - trust_HW) * others_trust_HW * on_HW
    share_HW = np.where(others_HW > 0, trust_HW / np.maximum(trust_HW + others_HW, 1e-6), 1.0)
    return _soft(share_HW)


def _looked_up(picture: np.ndarray, sources_HW2: np.ndarray, how: int = cv2.INTER_LINEAR) -> np.ndarray:
    """(H, W) or (H, W, C) a picture at other places, in pixels; beyond its edge it goes on as it is there."""
    x_HW, y_HW = np.moveaxis((sources_HW2 - _HALF).astype(np.float32), -1, 0)
    return np.asarray(cv2.remap(picture, x_HW, y_HW, how, borderMode=cv2.BORDER_REPLICATE))
