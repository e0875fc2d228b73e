"""Training checkpoints: whole or absent, checked before they are read."""

from pathlib import Path

import pytest
from dreamactor_core.errors import TrainingError
from dreamactor_model.training.run.checkpoints import commit_checkpoint, find_checkpoint, open_checkpoint, step_of


def _save(root: Path, step: int, keep: int = 2) -> Path:
    temporary = open_checkpoint(root, step)
    (temporary / "engine").mkdir()
    (temporary / "engine" / "state.pt").write_bytes(bytes([step]) * 100)
    return commit_checkpoint(temporary, keep=keep)


def test_auto_finds_the_latest_and_old_ones_go(tmp_path):
    for step in (5, 10, 20):
        _save(tmp_path, step)
    found = find_checkpoint(tmp_path, "auto")
    assert found is not None
    assert step_of(found) == 20
    assert sorted(path.name for path in tmp_path.glob("step-*")) == ["step-10", "step-20"]


def test_an_interrupted_save_is_invisible_and_cleaned_up(tmp_path):
    _save(tmp_path, 5)
    (open_checkpoint(tmp_path, 10) / "half").write_text("written")
    found = find_checkpoint(tmp_path, "auto")
    assert found is not None
    assert step_of(found) == 5
    _save(tmp_path, 10)
    assert not list(tmp_path.glob("*.tmp"))


def test_none_and_an_empty_folder_start_anew(tmp_path):
    assert find_checkpoint(tmp_path, "auto") is None
    _save(tmp_path, 5)
    assert find_checkpoint(tmp_path, "none") is None


def test_a_missing_step_is_an_error_that_names_the_others(tmp_path):
    _save(tmp_path, 5)
    assert find_checkpoint(tmp_path, "5") == tmp_path / "step-5"
    with pytest.raises(TrainingError, match="no checkpoint of step 7.*one of: 5"):
        find_checkpoint(tmp_path, "7")


@pytest.mark.parametrize("damage", [b"", b"\x05" * 99, b"\x06" + b"\x05" * 99])
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    file = _save(tmp_path, 5) / "engine" / "state.pt"
    file.write_bytes(damage)
    with pytest.raises(TrainingError, match="damaged"):
        find_checkpoint(tmp_path, "auto")


def test_saving_a_step_again_replaces_it(tmp_path):
    _save(tmp_path, 5)
    temporary = open_checkpoint(tmp_path, 5)
    (temporary / "other").write_text("new")
    assert (commit_checkpoint(temporary, keep=1) / "other").read_text() == "new"
    assert find_checkpoint(tmp_path, "auto") is not None
