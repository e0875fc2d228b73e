"""The contact sheet of an animation: reference, driving video, speech, control maps and result, side by side.

Legend: T video frames, H W canvas.
"""

from pathlib import Path

import numpy as np
from dreamactor_core.contact_sheet import write_contact_sheet
from dreamactor_signals.speech.recording import read_recording

from dreamactor_model.animate.motion import TrackMotion
from dreamactor_model.animate.subject import Subject
from dreamactor_model.animate.waveform import waveform_pictures

_ROWS = 6


class SheetRows:
    """Keeps the few result frames that the sheet shows while all of them stream by.

    Args:
        speech: the recording, where one moves the face.
    """

    def __init__(self, subject: Subject, motion: TrackMotion, speech: Path | None = None) -> None:
        self._subject, self._motion, self._speech = subject, motion, speech
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
                **self._references(),
                **self._driving(),
                "control maps": list(both_THWC),
                "result (AI-generated)": self._results,
            },
            rows=_ROWS,
        )

    def _references(self) -> dict[str, list[np.ndarray]]:
        images, given = list(self._subject.images_RHWC), len(self._subject.paths)
        columns = {"reference": self._column(images[:given])}
        if images[given:]:
            columns["made view (AI-generated)"] = self._column(images[given:])
        return columns

    def _column(self, images: list[np.ndarray]) -> list[np.ndarray]:
        """One image stands beside every row; several are shown once each."""
        blank = np.zeros_like(images[0])
        return images if len(images) == 1 else [*images, *[blank] * (len(self._shown) - len(images))]

    def _driving(self) -> dict[str, list[np.ndarray]]:
        columns = {}
        frames_THWC = self._motion.driving_frames(self._shown)
        if frames_THWC is not None:
            columns["driving"] = list(frames_THWC)
        if self._speech is not None:
            columns["speech"] = waveform_pictures(read_recording(self._speech), self._motion.fps, self._shown)
        return columns
