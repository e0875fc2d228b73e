"""espeak-ng: text to samples with the times of every phoneme.

The library keeps state from one call to the next, and equal text would not give equal samples. So a small child process
loads it once and forks for each utterance: every one starts from the same state.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from ctypes.util import find_library
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from dreamactor_core.errors import InputError

_WHEEL = "espeakng_loader"
_REMEDY = "Run: pip install 'dreamactor-dataset[speech]'"
_DEADLINE_S = 120.0


@dataclass(frozen=True)
class Voice:
    """Who speaks: a language and variant of espeak-ng such as `en-us+f3`, words a minute, pitch (0-99)."""

    name: str
    words_per_minute: int = 160
    pitch: int = 50


@dataclass(frozen=True)
class Phoneme:
    """One sound: IPA (empty for a pause) and when it starts, seconds from the first sample."""

    ipa: str
    start_s: float


@dataclass(frozen=True)
class Spoken:
    """A sentence that was spoken.

    Attributes:
        samples: (S,) int16.
        rate_hz: of the samples.
        phonemes: in order; the last one is a pause at the end.
    """

    samples: np.ndarray
    rate_hz: int
    phonemes: tuple[Phoneme, ...]


def speak(lines: Sequence[tuple[Voice, str]]) -> list[Spoken]:
    """Speak sentences; equal arguments give equal samples.

    Raises:
        InputError: espeak-ng is not installed, has no such voice, or gave up.
    """
    library, data = find_espeak()
    with TemporaryDirectory(prefix="speech-") as folder:
        request = {
            "library": library,
            "data": _short(data, Path(folder)),
            "folder": folder,
            "lines": [[voice.name, voice.words_per_minute, voice.pitch, text] for voice, text in lines],
        }
        _run_child(request)
        return [_read(Path(folder) / str(number)) for number in range(len(lines))]


def find_espeak() -> tuple[str, Path | None]:
    """The library, and its data unless it knows where they lie: from the wheel of the extra, else the system's.

    Raises:
        InputError: neither is there.
    """
    spec = find_spec(_WHEEL)
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent
        return str(next(home.glob("*espeak-ng.[sd][oyl]*"))), home
    library = find_library("espeak-ng")
    if library is None:
        raise InputError("speech with known lips needs espeak-ng, which is not installed", remedy=_REMEDY)
    return library, None


def _short(data: Path | None, folder: Path) -> str | None:
    # The library copies this path into 160 bytes.
    if data is None:
        return None
    link = folder / "data"
    link.symlink_to(data)
    return str(link)


def _run_child(request: Mapping[str, object]) -> None:
    command = [sys.executable, "-m", "dreamactor_dataset.synthetic.speech.espeak_child"]
    done = subprocess.run(
        command, input=json.dumps(request), capture_output=True, text=True, timeout=_DEADLINE_S, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise InputError(f"espeak-ng could not speak: {last}", remedy="Choose a voice that `espeak-ng --voices` names")


def _read(start: Path) -> Spoken:
    said = json.loads(start.with_suffix(".json").read_text())
    phonemes = tuple(Phoneme(ipa, ms / 1000) for ms, ipa in said["phonemes"])
    return Spoken(np.fromfile(start.with_suffix(".pcm"), np.int16), said["rate_hz"], phonemes)
