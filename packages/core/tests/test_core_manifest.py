from pathlib import Path

import pyarrow.parquet
import pytest
from dreamactor_core.errors import InputError, ManifestError
from dreamactor_core.manifest import ClipRow, read_manifest, write_manifest


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


def test_not_parquet_and_missing(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_text("no")
    with pytest.raises(ManifestError, match="not a parquet file"):
        read_manifest(tmp_path / "m.parquet")
    with pytest.raises(InputError, match="no such file"):
        read_manifest(tmp_path / "none.parquet")
