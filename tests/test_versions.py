"""Versions of the data set: pushed, tagged, and compared with the one before, through the real DVC and git."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from dreamactor_core.data_versions import fetch_output, is_current, latest_version, push_data, tag_version
from dreamactor_core.errors import LineageError
from dreamactor_core.lineage import CURATED, DATASET, SHARDS, TransientLineageError, reproduce
from dreamactor_core.manifest import ClipRow, write_manifest
from dreamactor_dataset.versions import compare_manifests

from flows import version_dataset as flow

pytestmark = pytest.mark.slow

STAGES = f"""
stages:
  shards:
    cmd: mkdir -p data/curated {SHARDS} && cp source.parquet {CURATED} && cp source.parquet {SHARDS}/0.tar
    deps: [source.parquet]
    outs: [{CURATED}, {SHARDS}]
"""


def _row(clip_id: str, **changes: object) -> ClipRow:
    values = {
        "clip_id": clip_id, "video": f"{clip_id}.mp4", "sha256": clip_id, "width": 64, "height": 64, "fps_num": 25,
        "fps_den": 1, "frame_count": 90_000, "source": "made", "identity": clip_id[0], "category": "dance",
        "licence": "CC0-1.0", "consent": "given", "split": "train", "synthetic": True, "framing": "full",
    }  # fmt: skip
    return ClipRow.model_validate(values | changes)


OLDER = [_row("a1"), _row("a2", framing="half"), _row("b1"), _row("c1", status="rejected", reason="blurred: 0")]
NEWER = [_row("a1"), _row("a2", framing="full"), _row("c1"), _row("d1", framing="half", frame_count=45_000)]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "workspace"
    root.mkdir()
    for command in (
        ["git", "init", "-q"], ["git", "config", "user.name", "test"],
        ["git", "config", "user.email", "test@example.org"], [sys.executable, "-m", "dvc", "init", "-q"],
    ):  # fmt: skip
        subprocess.run(command, cwd=root, check=True)
    (root / "dvc.yaml").write_text(STAGES)
    (root / "params.yaml").write_text("{}\n")
    (root / ".gitignore").write_text("/data/\n")
    monkeypatch.chdir(root)
    return root


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def _make(root: Path, rows: list[ClipRow]) -> None:
    write_manifest(root / "source.parquet", rows)
    reproduce(["shards"], root=root, report=lambda _: None)


def test_differences_are_of_kept_clips_and_hours_by_framing(tmp_path: Path) -> None:
    write_manifest(tmp_path / "older.parquet", OLDER)
    write_manifest(tmp_path / "newer.parquet", NEWER)
    difference = compare_manifests(tmp_path / "older.parquet", tmp_path / "newer.parquet")
    assert (difference.added, difference.removed, difference.changed) == (["c1", "d1"], ["b1"], ["a2"])
    assert (difference.clips, difference.people) == ((3, 4), (2, 3))
    assert difference.hours == {"full": (2.0, 3.0), "half": (1.0, 0.5), "all": (3.0, 3.5)}
    assert json.loads(json.dumps(difference.to_json()))["added"] == ["c1", "d1"]
    first = compare_manifests(None, tmp_path / "newer.parquet")
    assert first.sentence() == "4 clips of 3 people, 3.5 hours (before: 0 clips); 4 added, 0 removed, 0 changed"


def test_a_version_can_be_had_again_from_the_remote_alone(workspace: Path, tmp_path: Path) -> None:
    _make(workspace, OLDER)
    assert latest_version(workspace) is None
    push_data(DATASET, str(tmp_path / "remote"), root=workspace)
    (workspace / "staged.txt").write_text("not ours")
    _git(workspace, "add", "staged.txt")
    assert tag_version("first", root=workspace) == "data-1"
    assert is_current("data-1", workspace)
    # What somebody else has staged stays staged, and no more than the recipe is committed.
    assert _git(workspace, "status", "--porcelain", "staged.txt").startswith("A")
    assert set(_git(workspace, "show", "--name-only", "--format=", "data-1^{commit}").split()) == {
        "dvc.lock", "dvc.yaml", "params.yaml",
    }  # fmt: skip
    _make(workspace, NEWER)
    assert not is_current("data-1", workspace)
    subprocess.run([sys.executable, "-m", "dvc", "gc", "--workspace", "--force", "-q"], cwd=workspace, check=True)
    fetch_output(CURATED, "data-1", tmp_path / "older.parquet", str(tmp_path / "remote"), root=workspace)
    assert compare_manifests(tmp_path / "older.parquet", workspace / CURATED).removed == ["b1"]
    assert tag_version("second", root=workspace) == "data-2"
    assert latest_version(workspace) == "data-2"


def test_remotes_that_are_none_are_told(workspace: Path) -> None:
    _make(workspace, OLDER)
    with pytest.raises(LineageError, match="DVC knows no remote 'nowhere'"):
        push_data(DATASET, "nowhere", root=workspace)
    with pytest.raises(LineageError, match="dvc push failed"):
        push_data(DATASET, root=workspace)


def test_a_remote_that_is_away_is_worth_another_try(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _make(workspace, OLDER)
    for name, value in (("ENDPOINT_URL", "http://127.0.0.1:9"), ("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with pytest.raises(TransientLineageError, match="Could not connect"):
        push_data(DATASET, "s3://dvc", root=workspace)


class _Quiet:
    def info(self, *_: object) -> None:
        """Nobody listens."""


def test_the_flow_tags_what_is_new_and_nothing_twice(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts: list[str] = []
    monkeypatch.setattr(flow, "get_run_logger", _Quiet)
    monkeypatch.setattr(flow, "create_markdown_artifact", lambda text, **_: artifacts.append(text))
    monkeypatch.setattr(flow, "reproduce_stage", lambda stage: reproduce([stage], report=lambda _: None))
    for task in ("push_version", "compare_with"):
        monkeypatch.setattr(flow, task, getattr(flow, task).fn)
    remote = str(tmp_path / "remote")
    write_manifest(workspace / "source.parquet", OLDER)
    assert [flow.version_dataset.fn(remote), flow.version_dataset.fn(remote)] == ["data-1", "data-1"]
    write_manifest(workspace / "source.parquet", NEWER)
    assert flow.version_dataset.fn(remote) == "data-2"
    report = json.loads((workspace / "reports/dataset/versions/data-2.json").read_text())
    assert (report["before"], report["added"], report["removed"]) == ("data-1", ["c1", "d1"], ["b1"])
    assert report["hours"]["half"] == [1.0, 0.5]
    assert set(report["outputs"]) == set(DATASET)
    assert len(artifacts) == 2
    assert "| half | 1 | 0.5 | -0.5 |" in artifacts[1]
