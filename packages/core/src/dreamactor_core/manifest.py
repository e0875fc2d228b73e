"""The clip manifest: one validated row a clip, kept as parquet with a declared schema.

Two doors: rows (`read_manifest`), and for hundreds of thousands of clips the table itself (`read_manifest_table`),
checked column by column.
"""

import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dreamactor_core.errors import ManifestError
from dreamactor_core.files import atomic_path, require_file

if TYPE_CHECKING:
    import pyarrow

Split = Literal["train", "val", "test"]
Framing = Literal["portrait", "half", "full"]
Status = Literal["kept", "rejected", "quarantined"]


class ClipRow(BaseModel):
    """One clip. Paths are relative to the manifest's folder.

    Attributes:
        source: where it comes from: a collection, a producer, a contract.
        source_video: the video it was cut from, as its source names it; empty where the clip is no part of a video.
        start_s: where it begins in that video.
        perceptual_group: equal for clips that look alike: the same pictures, encoded, scaled or cropped differently.
        group: equal for clips that must not be in two splits, because somebody, a source video or a look connects them.
    """

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
    source_video: str = ""
    start_s: float = Field(0.0, ge=0)
    perceptual_group: str = Field(default_factory=lambda row: row["clip_id"])
    group: str = Field(default_factory=lambda row: row["identity"])

    @property
    def fps(self) -> Fraction:
        """Exact frame rate."""
        return Fraction(self.fps_num, self.fps_den)

    @property
    def motion(self) -> str | None:
        """Path of the motion track to go by: what a tracker saw, or the truth where nobody tracked the clip."""
        return self.track or self.truth_track

    @property
    def duration_s(self) -> float:
        """Length in seconds; 0 where the rate is not known."""
        return self.frame_count * self.fps_den / self.fps_num if self.fps_num else 0.0


def manifest_schema() -> "pyarrow.Schema":
    """The columns of a manifest, their types, and which of them may be empty."""
    import pyarrow

    types: dict[Any, pyarrow.DataType] = {int: pyarrow.int64(), bool: pyarrow.bool_(), float: pyarrow.float64()}
    return pyarrow.schema(
        pyarrow.field(name, types.get(info.annotation, pyarrow.string()), nullable=_may_be_none(info.annotation))
        for name, info in ClipRow.model_fields.items()
    )


def _may_be_none(annotation: Any) -> bool:
    return type(None) in get_args(annotation)


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
    table = pyarrow.Table.from_pylist([row.model_dump() for row in ordered], schema=manifest_schema())
    with atomic_path(path) as temporary:
        pyarrow.parquet.write_table(table, temporary)


def read_manifest(path: Path | str) -> list[ClipRow]:
    """Read and validate a manifest, row by row.

    Raises:
        InputError: no such file.
        ManifestError: not parquet, a missing or unknown column, one of another type, or a value outside the schema.
    """
    table = _read_checked(Path(path), None)
    try:
        return [ClipRow.model_validate(row) for row in table.to_pylist()]
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ManifestError(f"column {place}: {first['msg']}", path=path) from problem


def read_manifest_table(path: Path | str, columns: Sequence[str] | None = None) -> "pyarrow.Table":
    """Read a manifest as a table, in the order of the clip ids: for sets whose rows would fill the memory.

    Args:
        path: of the manifest.
        columns: those wanted; None for all.

    Raises:
        InputError, ManifestError: as `read_manifest`.
    """
    table = _read_checked(Path(path), columns)
    for name in table.column_names:
        _check_values(Path(path), name, table[name])
    return table


def _read_checked(path: Path, columns: Sequence[str] | None) -> "pyarrow.Table":
    """The table with every wanted column of the schema, those that older manifests lack filled in."""
    import pyarrow
    import pyarrow.parquet

    require_file(path, remedy="Make it with: dreamactor dataset ingest FOLDER -o DIR")
    try:
        stored = pyarrow.parquet.read_schema(path)
        _check_columns(path, stored)
        wanted = list(manifest_schema().names if columns is None else columns)
        table = pyarrow.parquet.read_table(path, columns=sorted({*wanted, *_FILLED_FROM.values()} & set(stored.names)))
    except (pyarrow.ArrowInvalid, OSError) as problem:
        raise ManifestError(f"not a parquet file ({problem})", path=path) from problem
    for name in set(wanted) - set(stored.names):
        table = table.append_column(manifest_schema().field(name), _filled_in(name, table))
    return table.select(wanted)


# What fills a column that an older manifest lacks, where that is another column.
_FILLED_FROM = {"perceptual_group": "clip_id", "group": "identity"}


def _filled_in(name: str, table: "pyarrow.Table") -> Any:
    import pyarrow

    if name in _FILLED_FROM:
        return table[_FILLED_FROM[name]]
    default = ClipRow.model_fields[name].default
    return pyarrow.array([default] * len(table), type=manifest_schema().field(name).type)


def _check_columns(path: Path, stored: "pyarrow.Schema") -> None:
    """Names and types alone."""
    required = {name for name, info in ClipRow.model_fields.items() if info.is_required()}
    if missing := required - set(stored.names):
        raise ManifestError(f"columns missing: {', '.join(sorted(missing))}", path=path)
    declared = manifest_schema()
    if unknown := set(stored.names) - set(declared.names):
        raise ManifestError(f"unknown columns: {', '.join(sorted(unknown))}", path=path)
    for column in stored:
        wanted = declared.field(column.name).type
        if column.type != wanted:
            raise ManifestError(f"column {column.name} holds {column.type}, not {wanted}", path=path)


def _check_values(path: Path, name: str, values: "pyarrow.ChunkedArray") -> None:
    """One column against what its field demands."""
    import pyarrow.compute

    info = ClipRow.model_fields[name]
    if values.null_count and not _may_be_none(info.annotation):
        raise ManifestError(f"column {name}: {values.null_count} rows are empty", path=path)
    options = _literals(info.annotation)
    if options:
        strange = set(values.unique().to_pylist()) - {*options, None}
        if strange:
            raise ManifestError(f"column {name}: {sorted(strange)[0]!r} is none of {', '.join(options)}", path=path)
    lowest = next((rule.ge for rule in info.metadata if hasattr(rule, "ge")), None)
    if lowest is not None and len(values) and pyarrow.compute.min(values).as_py() < lowest:
        raise ManifestError(f"column {name} holds values below {lowest}", path=path)


def _literals(annotation: Any) -> tuple[Any, ...]:
    """The allowed values of a Literal, or of a Literal that may be None."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(option for part in get_args(annotation) for option in _literals(part))
