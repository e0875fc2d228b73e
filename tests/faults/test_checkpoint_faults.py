"""F1 to F5: kills, damage, full disks, other numbers of ranks and losses that break, in real ranks."""

import re
from pathlib import Path

import pytest
import torch
from dreamactor_core.errors import LineageError
from dreamactor_model.training.checkpoints.commit import find_checkpoint, step_of
from dreamactor_model.training.run.journal import read_journal
from dreamactor_model.training.spec import CHECKPOINTS, JOURNAL
from prefect.client.schemas import TaskRun
from prefect.states import Failed
from toy_training import REFUSED, ToyRun, error_of, run_ranks, same_bits, shown, weights

from benchmarks.training_parts.ranks import KILLED
from flows.reproduction import reproduce_stage
from flows.retries import interrupted


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> ToyRun:
    """A run that nothing happened to."""
    run = ToyRun(tmp_path_factory.mktemp("whole"))
    assert run_ranks(run) == [0]
    return run


def _checkpoints(run: ToyRun) -> Path:
    return run.folder / "work" / CHECKPOINTS


def _last_step(run: ToyRun) -> int | None:
    """Where a resumed run would go on."""
    found = find_checkpoint(_checkpoints(run), "auto")
    return None if found is None else step_of(found)


def _close(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.allclose(one[name], value, rtol=1e-3, atol=1e-5) for name, value in other.items())


def test_f1_killed_at_any_point_of_a_save_it_resumes_to_the_same_bits(tmp_path: Path, whole: ToyRun) -> None:
    run = ToyRun(tmp_path)
    killed, saved, points = 0, 0, iter(range(1, 400, 2))
    while True:
        point = next(points)
        (status,) = run_ranks(ToyRun(tmp_path, kill_at=point))
        if status == 0:
            break
        assert status == KILLED
        killed += 1
        step = _last_step(run) or 0
        assert step >= saved, f"killed at operation {point}, step {saved} was lost"
        saved = step
    assert killed >= 20
    assert same_bits(weights(run), weights(whole))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "no manifest"])
def test_f2_a_damaged_checkpoint_is_kept_aside_and_the_one_before_is_taken(
    tmp_path: Path, whole: ToyRun, damage: str
) -> None:
    run = ToyRun(tmp_path)
    assert run_ranks(run) == [0]
    newest = _checkpoints(run) / "step-6"
    file = newest / ("manifest.json" if damage == "no manifest" else "rank-0.safetensors")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content if damage == "flipped" else content[:-1] if damage == "truncated" else b"")
    (run.folder / "weights" / "model.safetensors").unlink()
    assert run_ranks(run) == [0]
    assert (_checkpoints(run) / "step-6.damaged").is_dir()
    assert "goes on from step 4" in (tmp_path / "rank-0.log").read_text()
    assert "step-6" in (tmp_path / "rank-0.log").read_text()
    assert same_bits(weights(run), weights(whole))


def test_f3_a_full_disk_leaves_the_checkpoint_before_and_says_what_to_do(tmp_path: Path, whole: ToyRun) -> None:
    run = ToyRun(tmp_path)
    assert run_ranks(ToyRun(tmp_path, broken_step=3)) == [REFUSED]
    before = _last_step(run)
    assert before == 2
    assert run_ranks(ToyRun(tmp_path, limit_file_bytes=60_000)) == [REFUSED]
    assert re.search(r"checkpoint of step 4 could not be written.*Free space", error_of(run))
    assert _last_step(run) == before
    assert run_ranks(run) == [0]
    assert same_bits(weights(run), weights(whole))


def test_f3_too_little_space_is_told_before_the_first_step(tmp_path: Path) -> None:
    # The largest that the settings can ask for: one checkpoint a step, all of them kept, of a very long stage.
    run = ToyRun(tmp_path, steps=10**12, changes={"checkpoint_every": 1, "keep_every": 1})
    assert run_ranks(run) == [REFUSED]
    assert re.search(r"checkpoints of .* GB will not fit: .* GB are free", error_of(run))
    assert not list(_checkpoints(run).glob("step-*"))


def test_f4_another_number_of_ranks_sees_the_same_samples_and_learns_the_same(tmp_path: Path, whole: ToyRun) -> None:
    run = ToyRun(tmp_path)
    assert run_ranks(ToyRun(tmp_path, kill_after_step=4)) == [KILLED]
    before = _last_step(run)
    assert before in (2, 4)
    assert run_ranks(run, world=2) == [0, 0]
    assert shown(run) == shown(whole)
    journals = [read_journal(one.folder / "work" / JOURNAL) for one in (run, whole)]
    for mine, theirs in zip(*journals, strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-3)
    assert all(
        torch.allclose(weights(run)[name], value, rtol=1e-3, atol=1e-5) for name, value in weights(whole).items()
    )


def test_f4_zero_stages_and_ranks_read_each_others_checkpoints(tmp_path: Path, whole: ToyRun) -> None:
    run = ToyRun(tmp_path, changes={"zero_stage": 2})
    assert run_ranks(ToyRun(tmp_path, changes={"zero_stage": 2}, kill_after_step=4), world=2)[0] == KILLED
    assert run_ranks(ToyRun(tmp_path, changes={"zero_stage": 3}, kill_after_step=5), world=2)[0] == KILLED
    assert run_ranks(ToyRun(tmp_path, changes={"zero_stage": 0})) == [0]
    assert all(
        torch.allclose(weights(run)[name], value, rtol=1e-3, atol=1e-5) for name, value in weights(whole).items()
    )
    assert torch.equal(weights(run)["frozen.weight"], weights(whole)["frozen.weight"])


def test_f5_a_loss_that_is_not_finite_stops_all_ranks_and_is_not_retried(tmp_path: Path) -> None:
    run = ToyRun(tmp_path, broken_step=3)
    assert run_ranks(run, world=2) == [REFUSED, REFUSED]
    for rank in range(2):
        assert "not finite at step 3" in error_of(run, rank)
        assert "with clips clip-" in (tmp_path / f"rank-{rank}.log").read_text()
    assert _last_step(run) == 2
    assert not (tmp_path / "weights").exists()
    failed = Failed(data=LineageError(f"dreamactor model train failed with status 2: {error_of(run)}"))
    assert not interrupted(reproduce_stage, TaskRun.model_construct(), failed)
