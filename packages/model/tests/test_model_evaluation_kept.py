"""Videos of a suite that was killed: what is taken over, and what never is."""

from pathlib import Path

import numpy as np
import pytest
from dreamactor_model.evaluation.kept import KeptVideos

VIDEO = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
COMMIT = "dreamactor_model.evaluation.kept.git_commit"


def never() -> np.ndarray:
    raise AssertionError("made a second time")


def other() -> np.ndarray:
    return VIDEO + 1


@pytest.fixture(autouse=True)
def _commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(COMMIT, lambda: "a" * 40)


def test_another_run_reads_what_one_has_made(tmp_path: Path) -> None:
    made = KeptVideos(tmp_path, {"clips": 2}).video("model", "a/b", lambda: VIDEO, weights="c" * 64)
    again = KeptVideos(tmp_path, {"clips": 2}).video("model", "a/b", never, weights="c" * 64)
    for video in (made, again):
        np.testing.assert_array_equal(video, VIDEO)


def test_what_decides_is_not_mixed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = KeptVideos(tmp_path, {"clips": 2})
    kept.video("model", "a", lambda: VIDEO, weights="c" * 64)
    np.testing.assert_array_equal(kept.video("model", "a", other, weights="d" * 64), VIDEO + 1)
    np.testing.assert_array_equal(kept.video("warp", "a", other), VIDEO + 1)
    np.testing.assert_array_equal(KeptVideos(tmp_path, {"clips": 3}).video("model", "a", other), VIDEO + 1)
    monkeypatch.setattr(COMMIT, lambda: "b" * 40)
    newer = KeptVideos(tmp_path, {"clips": 2})
    np.testing.assert_array_equal(newer.video("model", "a", other, weights="c" * 64), VIDEO + 1)


def test_while_somebody_works_on_the_code_all_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(COMMIT, lambda: "a" * 40 + "-dirty")
    KeptVideos(tmp_path, {}).video("warp", "a", lambda: VIDEO)
    np.testing.assert_array_equal(KeptVideos(tmp_path, {}).video("warp", "a", other), VIDEO + 1)


def test_a_video_that_could_not_be_made_leaves_nothing(tmp_path: Path) -> None:
    kept = KeptVideos(tmp_path, {})
    with pytest.raises(AssertionError, match="second"):
        kept.video("warp", "a", never)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    kept.video("warp", "a", lambda: VIDEO)
    kept.discard()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
