"""The contact sheet of an animation: reference, driving, control maps and result, side by side.

Legend: T video frames, H W canvas.
"""

from pathlib import Path

import numpy as np
from dreamactor_core.contact_sheet import write_contact_sheet
from dreamactor_core.video import read_frames

from dreamactor_model.animate.motion import DrivenMotion
from dreamactor_model.animate.subject import Subject

_ROWS = 6


class SheetRows:
    """Keeps the few result frames that the sheet shows while all of them stream by."""

    def __init__(self, subject: Subject, motion: DrivenMotion) -> None:
        self._subject, self._motion = subject, motion
        self._shown = np.unique(np.linspace(0, len(motion) - 1, _ROWS).round().astype(int)).tolist()
        self._results: list[np.ndarray] = []
        self._count = 0

    def add(self, frame: np.ndarray) -> None:
        """The next (H, W, 3) uint8 frame of the result."""
        if self._count in self._shown:
            self._results.append(frame)
        self._count += 1

    def write(self, path: Path) -> None:
        """Write the PNG."""
        maps_TCHW = self._motion.control_maps(self._shown)
        # A sphere lies over the neck as it does in the model's eyes: both maps are seen, neither hides the other.
        both_THWC = np.maximum(maps_TCHW[:, :3], maps_TCHW[:, 3:]).transpose(0, 2, 3, 1)
        write_contact_sheet(
            path,
            {
                "reference": list(self._subject.images_RHWC[:1]),
                "driving": list(read_frames(self._motion.video, self._shown)),
                "control maps": list(both_THWC),
                "result (AI-generated)": self._results,
            },
            rows=_ROWS,
        )
