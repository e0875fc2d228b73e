from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest
from dreamactor_core.errors import InputError, ManifestError
from dreamactor_core.manifest import ClipRow, read_manifest, read_manifest_table, write_manifest


def row(clip_id: str, **changes: object) -> ClipRow:
    values = {
        "clip_id": clip_id, "video": f"clips/{clip_id}.mp4", "sha256": "0" * 64, "width": 64, "height": 48,
        "fps_num": 30000, "fps_den": 1001, "frame_count": 20,
        "source": "made", "identity": "nobody", "category": "speech",
        "licence": "CC0-1.0", "consent": "not a person", "split": "train", "synthetic": True,
    }  # fmt: skip
    return ClipRow.model_validate(values | changes)


def test_round_trip_in_order_of_ids(tmp_path: Path) -> None:
    rows = [row("b", track="tracks/b.safetensors", framing="half"), row("a", status="rejected", reason="too dark")]
    write_manifest(tmp_path / "m.parquet", rows)
    assert read_manifest(tmp_path / "m.parquet") == [rows[1], rows[0]]
    assert rows[0].fps == pytest.approx(29.97, abs=0.001)


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    write_manifest(tmp_path / "1.parquet", [row("a"), row("b")])
    write_manifest(tmp_path / "2.parquet", [row("b"), row("a")])
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def test_doubled_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="'a' stands twice"):
        write_manifest(tmp_path / "m.parquet", [row("a"), row("a")])
    assert list(tmp_path.iterdir()) == []


def test_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    write_manifest(path, [row("a")])
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(path).drop_columns(["licence"]), path)
    with pytest.raises(ManifestError, match="columns missing: licence"):
        read_manifest(path)


def test_value_outside_the_schema_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    write_manifest(path, [row("a")])
    table = pyarrow.parquet.read_table(path)
    place = table.column_names.index("split")
    pyarrow.parquet.write_table(table.set_column(place, "split", [["somewhere"]]), path)
    with pytest.raises(ManifestError, match="column split"):
        read_manifest(path)


READERS = pytest.mark.parametrize("read", [read_manifest, read_manifest_table])


@READERS
def test_a_column_of_another_kind_is_named(tmp_path: Path, read: Callable[[Path], object]) -> None:
    path = tmp_path / "m.parquet"
    write_manifest(path, [row("a")])
    table = pyarrow.parquet.read_table(path)
    pyarrow.parquet.write_table(table.append_column("colour", [["red"]]), path)
    with pytest.raises(ManifestError, match="unknown columns: colour"):
        read(path)
    pyarrow.parquet.write_table(table.set_column(table.column_names.index("width"), "width", [["64"]]), path)
    with pytest.raises(ManifestError, match="column width holds string, not int64"):
        read(path)


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("split", "somewhere", "column split: 'somewhere' is none of train, val, test"),
        ("framing", "close", "column framing: 'close' is none of portrait, half, full"),
        ("frame_count", -1, "column frame_count holds values below 0"),
        ("identity", None, "column identity: 1 rows are empty"),
    ],
)
def test_a_table_is_checked_by_its_columns(tmp_path: Path, column: str, value: object, problem: str) -> None:
    path = tmp_path / "m.parquet"
    write_manifest(path, [row("a"), row("b")])
    table = pyarrow.parquet.read_table(path)
    place, field = table.column_names.index(column), pyarrow.field(column, table.schema.field(column).type)
    values = pyarrow.array([table[column][0].as_py(), value], type=field.type)
    pyarrow.parquet.write_table(table.set_column(place, field, values), path)
    with pytest.raises(ManifestError, match=problem):
        read_manifest_table(path)


@READERS
def test_older_manifests_without_groups_are_read(tmp_path: Path, read: Callable[[Path], object]) -> None:
    path = tmp_path / "m.parquet"
    write_manifest(path, [row("a", perceptual_group="x", group="y"), row("b")])
    table = pyarrow.parquet.read_table(path)
    pyarrow.parquet.write_table(table.drop_columns(["perceptual_group", "group", "source_video", "start_s"]), path)
    content = read(path)
    rows = content if isinstance(content, list) else [ClipRow(**values) for values in content.to_pylist()]
    assert [(each.perceptual_group, each.group, each.start_s) for each in rows] == [
        ("a", "nobody", 0),
        ("b", "nobody", 0),
    ]


def test_single_columns_can_be_read(tmp_path: Path) -> None:
    write_manifest(tmp_path / "m.parquet", [row("b", group="one"), row("a", group="two")])
    table = read_manifest_table(tmp_path / "m.parquet", ["group", "clip_id"])
    assert table.to_pydict() == {"group": ["two", "one"], "clip_id": ["a", "b"]}
    assert row("a", frame_count=60, fps_num=30, fps_den=1).duration_s == 2
    assert row("a", fps_num=0, fps_den=1).duration_s == 0


def test_not_parquet_and_missing(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_text("no")
    with pytest.raises(ManifestError, match="not a parquet file"):
        read_manifest(tmp_path / "m.parquet")
    with pytest.raises(InputError, match="no such file"):
        read_manifest(tmp_path / "none.parquet")
