"""The command line of the dataset package."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dreamactor_core.manifest import read_manifest


def _dreamactor(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dreamactor_core.cli", *map(str, arguments)], capture_output=True, text=True
    )


def test_ingest_tells_what_it_kept_and_where(write_clip: Callable[..., Path], tmp_path: Path) -> None:
    write_clip(tmp_path / "in" / "a.mp4", 6)
    (tmp_path / "in" / "b.mp4").write_text("no video")
    run = _dreamactor(
        "dataset", "ingest", tmp_path / "in", "-o", tmp_path / "set", "--min-frames", "5",
        "--default-source", "made", "--default-licence", "CC0-1.0", "--default-consent", "given",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [str(tmp_path / "set" / "manifest.parquet")]
    assert "kept             1" in run.stderr
    assert [row.status for row in read_manifest(tmp_path / "set" / "manifest.parquet")] == ["kept", "rejected"]


def test_a_missing_folder_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    run = _dreamactor("dataset", "ingest", tmp_path / "nowhere", "-o", tmp_path / "set")
    assert run.returncode == 2
    assert run.stderr.strip().splitlines() == [
        f"error: {tmp_path / 'nowhere'}: no such folder. Give a folder of videos"
    ]
    assert not (tmp_path / "set").exists()


def test_the_command_line_is_light() -> None:
    heavy = ("torch", "numpy", "cv2", "pyarrow", "anny", "numba")
    check = (
        "import sys, dreamactor_dataset.commands; "
        f"found = [name for name in {heavy} if name in sys.modules]; sys.exit(', '.join(found) if found else 0)"
    )
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
