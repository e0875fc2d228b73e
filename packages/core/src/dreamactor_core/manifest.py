"""The clip manifest: one validated row a clip, kept as parquet with a declared schema."""

import itertools
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dreamactor_core.errors import ManifestError
from dreamactor_core.files import atomic_path, require_file

if TYPE_CHECKING:
    import pyarrow

Split = Literal["train", "val", "test"]
Framing = Literal["portrait", "half", "full"]
Status = Literal["kept", "rejected", "quarantined"]


class ClipRow(BaseModel):
    """One clip. Paths are relative to the manifest's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip_id: str = Field(min_length=1)
    video: str
    sha256: str
    width: int = Field(ge=0)
    height: int = Field(ge=0)
    fps_num: int = Field(ge=0)
    fps_den: int = Field(ge=1)
    frame_count: int = Field(ge=0)
    source: str
    identity: str
    category: str
    licence: str | None
    consent: str | None
    split: Split
    synthetic: bool
    track: str | None = None
    truth_track: str | None = None
    framing: Framing | None = None
    status: Status = "kept"
    reason: str | None = None

    @property
    def fps(self) -> Fraction:
        """Exact frame rate."""
        return Fraction(self.fps_num, self.fps_den)


def _schema() -> "pyarrow.Schema":
    import pyarrow

    arrow_types = {int: pyarrow.int64(), bool: pyarrow.bool_()}
    return pyarrow.schema(
        [
            pyarrow.field(name, arrow_types.get(info.annotation, pyarrow.string()))  # type: ignore[arg-type]
            for name, info in ClipRow.model_fields.items()
        ]
    )


def write_manifest(path: Path | str, rows: Iterable[ClipRow]) -> None:
    """Write a manifest atomically, rows in the order of their clip ids so that equal content gives equal bytes.

    Raises:
        ManifestError: two rows with one clip id.
    """
    import pyarrow
    import pyarrow.parquet

    ordered = sorted(rows, key=lambda row: row.clip_id)
    for first, second in itertools.pairwise(ordered):
        if first.clip_id == second.clip_id:
            raise ManifestError(f"clip id {first.clip_id!r} stands twice", path=path)
    table = pyarrow.Table.from_pylist([row.model_dump() for row in ordered], schema=_schema())
    with atomic_path(path) as temporary:
        pyarrow.parquet.write_table(table, temporary)


def read_manifest(path: Path | str) -> list[ClipRow]:
    """Read and validate a manifest.

    Raises:
        InputError: no such file.
        ManifestError: not parquet, a missing or unknown column, or a value outside the schema.
    """
    import pyarrow
    import pyarrow.parquet

    path = require_file(path, remedy="Make it with: dreamactor dataset ingest FOLDER -o DIR")
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowInvalid, OSError) as problem:
        raise ManifestError(f"not a parquet file ({problem})", path=path) from problem
    required = {name for name, info in ClipRow.model_fields.items() if info.is_required()}
    if missing := required - set(table.column_names):
        raise ManifestError(f"columns missing: {', '.join(sorted(missing))}", path=path)
    try:
        return [ClipRow.model_validate(row) for row in table.to_pylist()]
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ManifestError(f"column {place}: {first['msg']}", path=path) from problem
