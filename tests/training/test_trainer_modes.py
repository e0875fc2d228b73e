"""The trainer beyond one process in single precision: clips split over ranks, ZeRO 3, bfloat16, videos, adapters.

What can be cut or shared must not change what is learnt.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from dreamactor_core.video import probe, read_frames
from dreamactor_dataset.shards.pack import INDEX
from dreamactor_model.actor import DreamActor, parameter_group
from dreamactor_model.checkpoint import load_checkpoint
from dreamactor_model.lora.folder import merge_lora
from dreamactor_model.training.diffusion.diffusion_stage import initial_actor
from dreamactor_model.training.run.launch import train_stage
from safetensors.torch import load_file
from small_trainings import STEPS, SmallTraining, prepare, settings
from torch import Tensor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
SIDE = 64


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare(folder)
    return folder


@pytest.fixture(scope="module")
def single(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> SmallTraining:
    """One process without any of it, but with videos."""
    run = SmallTraining(prepared, tmp_path_factory.mktemp("single"), {"training.validate_every": STEPS})
    assert run.run(1) == [0], run.log()
    return run


def _by_two_ranks(prepared: Path, folder: Path, changes: dict[str, int]) -> SmallTraining:
    own = {"training.processes": 2, "training.validate_every": STEPS}
    run = SmallTraining(prepared, folder, own | changes)
    assert run.run(2) == [0, 0], run.log()
    return run


def _before(prepared: Path) -> dict[str, Tensor]:
    return load_file(prepared / "models" / "stage2" / "model.safetensors")


def _distance(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    assert {name: tensor.shape for name, tensor in one.items()} == {
        name: tensor.shape for name, tensor in other.items()
    }
    return float(sum((one[name].double() - other[name].double()).square().sum() for name in one)) ** 0.5


def _assert_learnt_the_same(run: SmallTraining, single: SmallTraining) -> None:
    assert run.losses() == pytest.approx(single.losses(), rel=1e-4)
    mine, theirs, before = run.weights(), single.weights(), _before(single.prepared)
    assert all(torch.equal(mine[name], before[name]) for name in before if parameter_group(name) != "base")
    # Where a gradient is nearly nothing AdamW's first steps go by its sign, which rounding decides.
    assert _distance(mine, theirs) < 0.1 * _distance(theirs, before)


def _assert_shows_the_same(run: SmallTraining, single: SmallTraining) -> None:
    mine, theirs = (read_frames(each.video()).astype(int) for each in (run, single))
    assert np.abs(mine - theirs).mean() < 1


def test_a_held_out_clip_is_shown_truth_beside_result(single: SmallTraining) -> None:
    info = probe(single.video())
    assert (info.width, info.height) == (2 * SIDE, SIDE)
    assert f"video: {single.video()}" in single.log()
    truth_THWC = read_frames(single.video())[:, :, :SIDE]
    # The square that moves in the clip of split val.
    assert truth_THWC.reshape(len(truth_THWC), -1).std(axis=0).max() > 20


def test_clips_split_over_ranks_are_learnt_as_whole_ones(prepared: Path, single: SmallTraining, tmp_path: Path) -> None:
    run = _by_two_ranks(prepared, tmp_path, {"training.sequence_parallel": 2})
    _assert_learnt_the_same(run, single)
    _assert_shows_the_same(run, single)


def test_zero_3_leaves_whole_weights(prepared: Path, single: SmallTraining, tmp_path: Path) -> None:
    run = _by_two_ranks(prepared, tmp_path, {"training.zero_stage": 3})
    _assert_learnt_the_same(run, single)
    _assert_shows_the_same(run, single)
    load_checkpoint(tmp_path / "weights", DreamActor)


def test_bfloat16_learns_nearly_the_same_and_goes_on_in_single(
    prepared: Path, single: SmallTraining, tmp_path: Path
) -> None:
    changes = {"training.precision": "bfloat16", "training.zero_stage": 1, "training.validate_every": STEPS}
    run = SmallTraining(prepared, tmp_path, changes)
    assert run.run(1) == [0], run.log()
    assert run.losses() == pytest.approx(single.losses(), rel=0.03)
    assert run.video().exists()
    # Another stage begins with fp32 weights, or its small steps would be lost.
    spec = run.spec().model_copy(update={"starts_from": {"2": tmp_path / "weights"}})
    assert {parameter.dtype for parameter in initial_actor(spec).parameters()} == {torch.float32}


def test_stage_lora_trains_adapters_of_a_finished_model(prepared: Path, tmp_path: Path) -> None:
    base = prepared / "models" / "stage2"
    chosen = settings(
        prepared,
        **{
            "training.lora.base": str(base),
            "training.lora.steps": STEPS,
            "training.lora.rank": 4,
            "training.lora.learning_rate": 1e-2,
            "training.work_dir": str(tmp_path / "runs"),
            "training.reports_dir": str(tmp_path / "reports"),
            "tracking.uri": f"sqlite:///{tmp_path}/mlflow.db",
            "tracking.artifacts": str(tmp_path / "artifacts"),
        },
    )
    done = train_stage(chosen, "lora", prepared / "shards" / INDEX)
    assert done.metrics["steps"] == STEPS
    adapters = load_file(done.weights / "model.safetensors")
    assert all(name.endswith((".down_RI", ".up_OR")) for name in adapters)
    assert any(tensor.abs().max() > 0 for name, tensor in adapters.items() if name.endswith(".up_OR"))
    merge_lora(done.weights, tmp_path / "merged")
    merged, before = load_file(tmp_path / "merged" / "model.safetensors"), _before(prepared)
    assert merged.keys() == before.keys()
    changed = {name for name in before if not torch.equal(merged[name], before[name])}
    assert changed
    assert all(name.rpartition(".")[0] + ".up_OR" in adapters for name in changed)
