"""What a body model gives: joints that follow from shape and pose, linear in shape, and a mesh on demand.

Legend: T frames, B bones (`body_models.bones`), J joints (`dreamactor_core.skeleton`), S shape parameters, V vertices,
F faces. Body axes: x to the person's left, y up, z forward; metres.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Articulation:
    """A body's bones and joints in the T pose, as linear functions of its shape: all that a fit evaluates.

    `mean + shape @ basis` is the T pose of a body; shape parameters are standard normal over people. A joint is
    carried rigidly by one bone. `pelvis` and `neck` of the joint table are midpoints and carried by nothing (-1).

    Attributes:
        starts_mean_m: (B, 3) where bones start. starts_basis_m: (S, B, 3).
        joint_bones: (J,) int64.
        joints_mean_m: (J, 3). joints_basis_m: (S, J, 3).
        skull_mean_m: (4,) centre and radius of the skull sphere, carried by the head. skull_basis_m: (S, 4).
    """

    starts_mean_m: np.ndarray
    starts_basis_m: np.ndarray
    joint_bones: np.ndarray
    joints_mean_m: np.ndarray
    joints_basis_m: np.ndarray
    skull_mean_m: np.ndarray
    skull_basis_m: np.ndarray

    @property
    def shape_count(self) -> int:
        """S."""
        return len(self.starts_basis_m)


class BodyModel(Protocol):
    """A parametric human body."""

    @property
    def name(self) -> str:
        """Name and version, for a track's list of estimators."""
        ...

    @property
    def articulation(self) -> Articulation:
        """Bones and joints as functions of shape."""
        ...

    @property
    def faces(self) -> np.ndarray:
        """(F, 3) int64 triangles of the mesh, counter-clockwise seen from outside."""
        ...

    def vertices_m(self, shape: np.ndarray, rotations: np.ndarray) -> np.ndarray:
        """The posed mesh.

        Args:
            shape: (S,).
            rotations: (T, B, 3, 3) of every bone from the T pose, in the axes it is posed in (not against its parent).

        Returns:
            (T, V, 3) float32 metres, the pelvis bone starting at the origin.
        """
        ...
