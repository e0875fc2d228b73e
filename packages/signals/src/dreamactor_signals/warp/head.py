"""Where a head is: a sphere for what asks how near a pixel is, a surface for what is seen of it.

Legend: H W rows and columns, C channels, V vertices, U face units.
"""

from dataclasses import dataclass, replace

import numpy as np

from dreamactor_signals.draw.mesh.triangles import surface_at_centers
from dreamactor_signals.warp.head_mesh import HALF_A_FACE, head_mesh
from dreamactor_signals.warp.parts import HEAD_REACH

# Any distance that leaves the whole head before the camera: places on the picture do not depend on it.
_CAMERA = 6.0


@dataclass(frozen=True, eq=False)
class Head:
    """Where a head is.

    Attributes:
        center_px: (2,) of the skull.
        skull_px: radius.
        rotation: (3, 3) head to camera.
        depth_m: from the camera.
        units: (U,) of the face, or None where nobody knows them.
        face_box_px: (4,) x0 y0 x1 y1 around the face, or None where nobody knows it.
    """

    center_px: np.ndarray
    skull_px: float
    rotation: np.ndarray
    depth_m: float
    units: np.ndarray | None = None
    face_box_px: np.ndarray | None = None

    def distance(self, pixels_HW2: np.ndarray) -> np.ndarray:
        """(H, W) from the centre, 1 where hair and jaw end, and 0 on the face, wherever it is turned.

        Args:
            pixels_HW2: centres of all pixels of a picture.
        """
        from_center_HW = np.linalg.norm(pixels_HW2 - self.center_px, axis=-1) / (HEAD_REACH * self.skull_px)
        mesh = head_mesh()
        on_HW, face_HW1 = self.surface(pixels_HW2.shape, mesh.shaped(self.units), mesh.is_face[:, None])
        return np.where(on_HW & (face_HW1[..., 0] > HALF_A_FACE), 0, from_center_HW)

    def scaled(self, scale: float) -> "Head":
        """The head in a picture of another size."""
        box_px = None if self.face_box_px is None else scale * self.face_box_px
        return replace(self, center_px=scale * self.center_px, skull_px=scale * self.skull_px, face_box_px=box_px)

    def seen_from(self, corner_px: np.ndarray) -> "Head":
        """The head in a window of its picture that begins there."""
        return replace(self, center_px=self.center_px - corner_px)

    def project(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) pixels of points (..., 3) from the skull's centre along the camera's axes, in radii."""
        return np.asarray(self.center_px + self.skull_px * points[..., :2])

    def surface(self, shape: tuple[int, ...], points_V3: np.ndarray, values_VC: np.ndarray) -> tuple[np.ndarray, ...]:
        """(H, W) bool and (H, W, C): where the surface is seen, and the values there.

        Args:
            points_V3: of the surface, in head coordinates, in radii.
        """
        turned_V3 = points_V3 @ self.rotation.T
        depth_V = np.ascontiguousarray(_CAMERA + turned_V3[:, 2])
        return surface_at_centers(
            (shape[0], shape[1]), self.project(turned_V3), depth_V, values_VC, head_mesh().triangles
        )
