"""The errors a user may meet: each names the file, the problem and the remedy. The CLI prints one line, exit code 2."""

from pathlib import Path


class DreamactorError(Exception):
    """A problem the user can solve.

    Args:
        problem: what is wrong, in one sentence without a full stop.
        path: the file or folder it is about.
        remedy: what to do, if possible the exact command.
    """

    def __init__(self, problem: str, *, path: Path | str | None = None, remedy: str | None = None) -> None:
        self.problem = problem
        self.path = None if path is None else Path(path)
        self.remedy = remedy
        super().__init__(self.line())

    def line(self) -> str:
        """The error as one line: `FILE: problem. Remedy.`"""
        place = "" if self.path is None else f"{self.path}: "
        remedy = "" if self.remedy is None else f". {self.remedy}"
        return " ".join(f"{place}{self.problem}{remedy}".split())

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process pools; the default reduce would pass the finished line as the problem.
        return _rebuild, (type(self), self.problem, self.path, self.remedy)


def _rebuild(kind: type[DreamactorError], problem: str, path: Path | None, remedy: str | None) -> DreamactorError:
    return kind(problem, path=path, remedy=remedy)


class InputError(DreamactorError):
    """A file or value the user gave cannot be used."""


class DecodeError(InputError):
    """A video or image cannot be decoded."""


class ShardError(InputError):
    """A shard of the data set is missing, damaged or cannot be written."""


class NoPersonError(InputError):
    """Nobody is to be seen where a person is needed."""


class SettingsError(DreamactorError):
    """params.yaml, the environment or an option holds something that is not in the schema."""


class TrackError(DreamactorError):
    """A motion track is damaged or of another version."""


class TrackerError(DreamactorError):
    """An estimator is not installed, broke down or did not answer in time."""


class ManifestError(DreamactorError):
    """A clip manifest is damaged or lacks what its schema demands."""


class StorageError(DreamactorError):
    """There is no room to write, or no right to."""


class WeightsError(DreamactorError):
    """Weights are missing, damaged or do not fit the configuration."""


class TrainingError(DreamactorError):
    """A training stage cannot start or go on."""


class OutOfMemoryError(TrainingError):
    """Training needs more memory than there is: the same again would fail again."""


class StalledError(TrainingError):
    """Training made no progress for longer than it may."""


class LineageError(DreamactorError):
    """DVC cannot reproduce or read the lineage."""
