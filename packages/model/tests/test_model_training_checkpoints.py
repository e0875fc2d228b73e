"""Training checkpoints: whole or absent, checked before they are read, read by any number of ranks."""

from pathlib import Path

import pytest
import torch
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import sha256_file
from dreamactor_model.training.checkpoints.commit import (
    clear_leftovers,
    commit_checkpoint,
    find_checkpoint,
    step_of,
    temporary_folder,
)
from dreamactor_model.training.checkpoints.fragment_files import read_fragments, write_fragments
from dreamactor_model.training.checkpoints.fragments import Fragment
from dreamactor_model.training.checkpoints.saver import CheckpointSaver, require_space


def _save(root: Path, step: int, keep_last: int = 2, keep_every: int | None = None) -> Path:
    temporary = temporary_folder(root, step)
    file = temporary / "rank-0.safetensors"
    file.write_bytes(bytes([step]) * 100)
    files = {file.name: {"bytes": 100, "sha256": sha256_file(file)}}
    return commit_checkpoint(temporary, files, keep_last=keep_last, keep_every=keep_every)


def _names(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("step-*"))


def test_auto_finds_the_latest_and_old_ones_go(tmp_path):
    for step in (5, 10, 20):
        _save(tmp_path, step)
    assert find_checkpoint(tmp_path, "auto") == tmp_path / "step-20"
    assert _names(tmp_path) == ["step-10", "step-20"]
    assert (tmp_path / "latest").read_text() == "step-20"


def test_multiples_of_keep_every_stay(tmp_path):
    for step in (5, 10, 15, 20, 25):
        _save(tmp_path, step, keep_last=1, keep_every=10)
    assert _names(tmp_path) == ["step-10", "step-20", "step-25"]


def test_an_interrupted_save_is_invisible_and_cleaned_up(tmp_path):
    _save(tmp_path, 5)
    (temporary_folder(tmp_path, 10) / "half").write_text("written")
    assert find_checkpoint(tmp_path, "auto") == tmp_path / "step-5"
    assert _names(tmp_path) == ["step-5"]


def test_a_checkpoint_that_was_being_replaced_comes_back(tmp_path):
    folder = _save(tmp_path, 5)
    folder.rename(tmp_path / "step-5.old")
    clear_leftovers(tmp_path)
    assert find_checkpoint(tmp_path, "auto") == folder


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
def test_a_damaged_checkpoint_is_put_aside_and_the_one_before_is_taken(tmp_path, damage, capsys):
    _save(tmp_path, 5)
    (_save(tmp_path, 10) / "rank-0.safetensors").write_bytes(damage)
    with pytest.raises(TrainingError, match="damaged"):
        find_checkpoint(tmp_path, "10")
    assert find_checkpoint(tmp_path, "auto") == tmp_path / "step-5"
    assert (tmp_path / "step-10.damaged" / "rank-0.safetensors").read_bytes() == damage
    assert "step-10" in capsys.readouterr().err


def test_all_damaged_is_an_error_and_no_silent_restart(tmp_path):
    (_save(tmp_path, 5) / "manifest.json").write_text("{")
    with pytest.raises(TrainingError, match="none is whole.*--resume none"):
        find_checkpoint(tmp_path, "auto")


def test_saving_a_step_again_replaces_it(tmp_path):
    _save(tmp_path, 5)
    temporary = temporary_folder(tmp_path, 5)
    (temporary / "other").write_text("new")
    final = commit_checkpoint(temporary, {}, keep_last=1, keep_every=None)
    assert (final / "other").read_text() == "new"
    assert step_of(final) == 5
    assert _names(tmp_path) == ["step-5"]


def test_fragments_of_two_ranks_are_read_by_three(tmp_path):
    weights = {"a": torch.arange(7.0), "b": torch.arange(10.0, 15.0)}
    row = torch.cat([*weights.values(), torch.zeros(0)])
    cuts = {2: (0, 6, 12), 3: (0, 4, 8, 12)}

    def held(ranks: int, rank: int) -> tuple[list[Fragment], torch.Tensor]:
        first, last = cuts[ranks][rank : rank + 2]
        fragments = []
        for name, begin in (("a", 0), ("b", 7)):
            total = len(weights[name])
            start, end = max(first, begin), min(last, begin + total)
            if start < end:
                fragments.append(Fragment(name, total, start - begin, end - start, 0, start - first))
        return fragments, row[first:last].clone()

    files = []
    for rank in range(2):
        fragments, flat = held(2, rank)
        files.append(tmp_path / f"rank-{rank}.safetensors")
        note = write_fragments(files[-1], fragments, {"weights": [flat]})
        assert note == {"bytes": files[-1].stat().st_size, "sha256": sha256_file(files[-1])}
    for rank in range(3):
        fragments, flat = held(3, rank)
        read = torch.full_like(flat, -1)
        read_fragments(files, fragments, {"weights": [read]})
        assert torch.equal(read, flat)
    with pytest.raises(TrainingError, match="c is not whole"):
        read_fragments(files, [Fragment("c", 3, 0, 3, 0, 0)], {"weights": [torch.zeros(3)]})
    with pytest.raises(TrainingError, match="a is not whole"):
        read_fragments(files[:1], held(3, 1)[0], {"weights": [torch.zeros(4)]})


def _saver(root: Path) -> CheckpointSaver:
    fragments = (Fragment("a", 5, 0, 5, 0, 0),)
    return CheckpointSaver(root, fragments, rank=0, world=1, keep_last=2, keep_every=None)


def test_what_changes_after_a_save_is_not_in_it(tmp_path):
    flat = torch.arange(5.0)
    saver = _saver(tmp_path)
    saver.save(3, {"weights": [flat]}, {"step": 3})
    flat += 1
    saver.wait()
    read = torch.zeros(5)
    files = [tmp_path / "step-3" / "rank-0.safetensors"]
    read_fragments(files, [Fragment("a", 5, 0, 5, 0, 0)], {"weights": [read]})
    assert read.tolist() == [0, 1, 2, 3, 4]
    assert find_checkpoint(tmp_path, "auto") == tmp_path / "step-3"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_leaves_the_old_checkpoint_and_a_typed_error(tmp_path):
    saver = _saver(tmp_path)
    saver.save(3, {"weights": [torch.zeros(5)]}, {})
    saver.wait()
    (temporary_folder(tmp_path, 6) / "rank-0.safetensors").symlink_to("/dev/full")
    saver.save(6, {"weights": [torch.ones(5)]}, {})
    saver.wait()
    assert isinstance(saver.failure, TrainingError)
    assert "No space left" in saver.failure.line()
    assert find_checkpoint(tmp_path, "auto") == tmp_path / "step-3"


def test_space_is_predicted_before_the_first_step(tmp_path):
    require_space(tmp_path, 1000, count=3)
    with pytest.raises(TrainingError, match="3 checkpoints of 1e\\+06 GB will not fit"):
        require_space(tmp_path, 10**15, count=3)
