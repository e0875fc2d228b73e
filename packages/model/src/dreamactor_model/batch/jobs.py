"""The job table of a batch: one row a video to make. All of it is checked before the model is loaded."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from dreamactor_core.errors import DreamactorError, InputError
from dreamactor_core.image import read_image
from dreamactor_core.video import probe
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dreamactor_model.animate.request import AnimateRequest

SEPARATOR = ";"
_TABLES = "CSV (.csv), JSON lines (.jsonl) or parquet (.parquet)"
# A job without a name of its own is checked as if it had this one.
_ANY_OUTPUT = Path("unnamed.mp4")


class Job(BaseModel):
    """One animation: paths are relative to the folder of the job table.

    Without `output` the video is named after its content address.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    references: tuple[Path, ...] = Field(min_length=1, alias="reference")
    # Whoever is shown has agreed: how, is kept with the video.
    consent: str = Field(min_length=1)
    driving: Path | None = None
    speech: Path | None = None
    style: Path | None = None
    output: Path | None = None
    seed: int | None = Field(None, ge=0)
    steps: int | None = Field(None, ge=1)
    max_frames: int | None = Field(None, ge=1)
    two_stage: bool = False

    @field_validator("references", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Several references stand in one cell, with a semicolon between them."""
        return [part.strip() for part in value.split(SEPARATOR) if part.strip()] if isinstance(value, str) else value

    def request(self, output: Path) -> AnimateRequest:
        """What an animator is asked."""
        return AnimateRequest(
            references=self.references,
            driving=self.driving,
            output=output,
            speech=self.speech,
            style=self.style,
            seed=self.seed,
            steps=self.steps,
            max_frames=self.max_frames,
            two_stage=self.two_stage,
            consent=self.consent,
        )


COLUMNS = tuple(field.alias or name for name, field in Job.model_fields.items())
_REQUIRED = tuple(field.alias or name for name, field in Job.model_fields.items() if field.is_required())


@dataclass(frozen=True)
class Row:
    """A row of the table: a job, or the reason why there is none."""

    number: int
    job: Job | None
    reason: str = ""


@dataclass(frozen=True)
class JobTable:
    """The rows of a table, from row 1 on."""

    path: Path
    rows: tuple[Row, ...] = field(default=())


def read_jobs(path: Path) -> JobTable:
    """Read and check a whole table: every file is there and can be read, nobody is shown without consent.

    A row that cannot be done is refused with its reason and stops no other.

    Raises:
        InputError: no table, or a column that is missing or unknown: then no row can be trusted.
    """
    return JobTable(path, check_jobs(list(_read_table(path)), path.resolve().parent, path))


def check_jobs(raw: Sequence[Mapping[str, Any]], folder: Path, origin: Path) -> tuple[Row, ...]:
    """Check rows as a table gives them: see `read_jobs`.

    Args:
        folder: that relative paths are of.
        origin: where the rows come from, for errors.
    """
    _check_columns(origin, raw)
    check_video, check_image = cache(probe), cache(lambda image: read_image(image) is not None)
    taken: dict[Path, int] = {}
    rows = []
    for number, cells in enumerate(raw, start=1):
        try:
            job = _parse(cells, folder)
            _refuse_taken(job, number, taken)
            job.request(job.output or folder / _ANY_OUTPUT).check()
            for image in job.references:
                check_image(image)
            if job.driving is not None:
                check_video(job.driving)
            rows.append(Row(number, job))
        except DreamactorError as problem:
            rows.append(Row(number, None, problem.line()))
    return tuple(rows)


def _read_table(path: Path) -> Iterator[Mapping[str, Any]]:
    if not path.is_file():
        raise InputError("no such job table", path=path, remedy=f"Columns: {', '.join(COLUMNS)}")
    kind = path.suffix.lower()
    if kind == ".csv":
        yield from csv.DictReader(io.StringIO(_read_text(path), newline=""))
    elif kind == ".parquet":
        yield from _read_parquet(path)
    elif kind == ".jsonl":
        for number, line in enumerate(_read_text(path).splitlines(), start=1):
            yield _read_object(line, path, number)
    else:
        raise InputError(f"not a job table: {_TABLES}", path=path, remedy="Convert it")


def _read_text(path: Path) -> str:
    try:
        # Spreadsheets write a byte-order mark first.
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InputError(f"not UTF-8 text ({problem})", path=path, remedy="Save it as UTF-8") from problem


def _read_parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet

    try:
        return list(pyarrow.parquet.read_table(path).to_pylist())
    except (OSError, pyarrow.ArrowException) as problem:
        raise InputError(f"not a parquet table ({problem})", path=path, remedy="Write it again") from problem


def _read_object(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        read = json.loads(line)
    except ValueError as problem:
        raise InputError(f"line {number} is not JSON ({problem})", path=path, remedy="Correct the line") from problem
    if not isinstance(read, dict):
        raise InputError(f"line {number} is not a JSON object", path=path, remedy="Correct the line")
    return read


def _check_columns(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    known = {name for row in rows for name in row}
    unknown = sorted(str(name) for name in known - set(COLUMNS))
    missing = [name for name in _REQUIRED if rows and name not in known]
    if unknown:
        raise InputError(f"unknown column {', '.join(unknown)}", path=path, remedy=f"Columns: {', '.join(COLUMNS)}")
    if missing:
        raise InputError(f"column {', '.join(missing)} is missing", path=path, remedy=f"Columns: {', '.join(COLUMNS)}")


def _parse(cells: Mapping[str, Any], folder: Path) -> Job:
    try:
        job = Job.model_validate({name: value for name, value in cells.items() if value not in ("", None)})
    except ValidationError as problem:
        first = problem.errors()[0]
        column = ".".join(str(part) for part in first["loc"])
        raise InputError(f"column {column}: {first['msg']}", remedy="Correct the row") from problem
    paths = {name: folder / path for name in ("driving", "speech", "style", "output") if (path := getattr(job, name))}
    return job.model_copy(update={**paths, "references": tuple(folder / path for path in job.references)})


def _refuse_taken(job: Job, number: int, taken: dict[Path, int]) -> None:
    if job.output is not None and taken.setdefault(job.output, number) != number:
        raise InputError(
            f"row {taken[job.output]} writes the same output", path=job.output, remedy="Name another output"
        )
