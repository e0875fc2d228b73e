"""A performance: what a body, a face and a voice do, independent of whose they are.

Joint rotations are against the parent, from a neutral stance: upright, arms and legs straight down, body axes (x to the
person's left, y up, z forward). Legend: T frames, U face units.
"""

from dataclasses import dataclass, field

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS

SIDES = ("left", "right")
JOINTS: tuple[str, ...] = (
    "root",
    "chest",
    "neck",
    *(f"{side}_{joint}" for side in SIDES for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")),
)


@dataclass
class Performance:
    """T frames of motion.

    Attributes:
        frame_count: T.
        rotations: joint of `JOINTS` -> (T, 3, 3); a joint that is absent stays neutral.
        root_legs: (T, 3) where the pelvis is, in leg lengths, from its neutral place.
        pronation_rad: side -> (T,) turn of the forearm about itself, positive turns the palm up.
        curl: side -> (T,) how closed the hand is, 0 to 1.
        units: (T, U) ARKit face units in [0, 1].
        voice: (S,) float32 samples that the lips belong to, at `signals.speech`'s rate; None where nothing is heard.
    """

    frame_count: int
    rotations: dict[str, np.ndarray] = field(default_factory=dict)
    root_legs: np.ndarray = field(init=False)
    pronation_rad: dict[str, np.ndarray] = field(init=False)
    curl: dict[str, np.ndarray] = field(init=False)
    units: np.ndarray = field(init=False)
    voice: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.root_legs = np.zeros((self.frame_count, 3))
        self.pronation_rad = {side: np.zeros(self.frame_count) for side in SIDES}
        self.curl = {side: np.full(self.frame_count, 0.3) for side in SIDES}
        self.units = np.zeros((self.frame_count, len(ARKIT_UNITS)))

    def of(self, joint: str) -> np.ndarray:
        """(T, 3, 3) rotation of a joint."""
        return self.rotations.get(joint, np.tile(np.eye(3), (self.frame_count, 1, 1)))

    def turn(self, joint: str, rotation: np.ndarray) -> None:
        """Put another rotation (T, 3, 3) or (3, 3) before what a joint does."""
        self.rotations[joint] = rotation @ self.of(joint)
