"""The job table of a batch: one row a video to make."""

import csv
import io
from pathlib import Path

from dreamactor_core.errors import InputError
from dreamactor_core.files import write_text
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

SEPARATOR = ";"


class Job(BaseModel):
    """One animation: paths are relative to the folder of the job table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    references: tuple[Path, ...] = Field(min_length=1, alias="reference")
    driving: Path
    output: Path
    seed: int | None = Field(None, ge=0)
    steps: int | None = Field(None, ge=1)
    max_frames: int | None = Field(None, ge=1)

    @field_validator("references", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Several references stand in one cell, with a semicolon between them."""
        return [part.strip() for part in value.split(SEPARATOR) if part.strip()] if isinstance(value, str) else value


class Outcome(BaseModel):
    """What became of a job."""

    output: str
    status: str
    reason: str
    seconds: float
    model: str


def read_jobs(path: Path) -> list[Job]:
    """The whole table, checked before the first job runs.

    Raises:
        InputError: no table, an unknown or missing column, a value outside its range, or one output made twice.
    """
    if not path.is_file():
        raise InputError(
            "no such job table", path=path, remedy="Columns: reference,driving,output[,seed,steps,max_frames]"
        )
    with path.open(newline="", encoding="utf-8") as file:
        jobs = [_read_row(row, number, path) for number, row in enumerate(csv.DictReader(file), start=2)]
    outputs = [job.output for job in jobs]
    twice = {str(output) for output in outputs if outputs.count(output) > 1}
    if twice:
        raise InputError(f"more than one job writes {', '.join(sorted(twice))}", path=path, remedy="Name other outputs")
    return jobs


def _read_row(row: dict[str, str | None], number: int, path: Path) -> Job:
    folder = path.resolve().parent
    try:
        job = Job.model_validate({key: value for key, value in row.items() if value not in ("", None)})
    except ValidationError as problem:
        first = problem.errors()[0]
        column = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"line {number}, column {column}: {first['msg']}", path=path, remedy="Correct the table"
        ) from problem
    placed = {"references": tuple(folder / reference for reference in job.references)}
    return job.model_copy(update={**placed, "driving": folder / job.driving, "output": folder / job.output})


def write_report(path: Path, outcomes: list[Outcome]) -> None:
    """One CSV row a job, in the order of the table."""
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, fieldnames=list(Outcome.model_fields), lineterminator="\n")
    table.writeheader()
    table.writerows(outcome.model_dump() for outcome in outcomes)
    write_text(path, buffer.getvalue())
