from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.files import (
    atomic_directory,
    atomic_path,
    load_tensors,
    save_tensors,
    sha256_file,
    write_json,
)


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "result.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["result.txt"]


def test_temporary_file_keeps_the_suffix(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "clip.mp4") as temporary:
        assert temporary.suffix == ".mp4"
        temporary.write_bytes(b"x")
    assert (tmp_path / "clip.mp4").read_bytes() == b"x"


def test_directory_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").write_text("old")
    with atomic_directory(target) as temporary:
        (temporary / "new").write_text("new")
        assert (target / "old").exists()
    assert [p.name for p in target.iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_failed_directory_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(RuntimeError), atomic_directory(target) as temporary:
        (temporary / "new").write_text("new")
        raise RuntimeError
    assert [p.name for p in target.iterdir()] == ["old"]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_tensors_round_trip_with_header(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    save_tensors(path, {"a": array.T}, {"k": [1, "two"]})
    tensors, header = load_tensors(path)
    assert np.array_equal(tensors["a"], array.T)
    assert header == {"k": [1, "two"]}


def test_equal_json_gives_equal_bytes(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"x": 1, "y": 2})
    write_json(tmp_path / "b", {"y": 2, "x": 1})
    assert sha256_file(tmp_path / "a") == sha256_file(tmp_path / "b")


@pytest.mark.parametrize(
    ("make", "message"), [("none", "no such file"), ("dir", "is a directory"), ("empty", "is empty")]
)
def test_unusable_files_are_named(tmp_path: Path, make: str, message: str) -> None:
    path = tmp_path / "thing"
    if make == "dir":
        path.mkdir()
    if make == "empty":
        path.touch()
    with pytest.raises(InputError, match=message) as caught:
        sha256_file(path)
    assert str(path) in caught.value.line()
