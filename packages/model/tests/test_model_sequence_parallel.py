"""Split over processes, the model computes what one process computes: velocities and gradients, with and without
padding. The processes are real ones, over gloo."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from dreamactor_core.errors import SettingsError
from dreamactor_model.memory.sequence_parallel import split_sequence
from micro_model import awake_actor
from sequence_cases import CONFIGS, Results, process, results
from torch import Tensor, multiprocessing


@pytest.fixture(scope="module")
def plain() -> Results:
    return results(lambda config: awake_actor(config).double())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What each process made of the cases, as COUNT-RANK.pt."""
    folder = tmp_path_factory.mktemp("processes")
    multiprocessing.spawn(process, (str(folder),), nprocs=3)
    return folder


@pytest.mark.parametrize(("count", "rank"), [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)])
def test_processes_together_compute_what_one_does(count: int, rank: int, plain: Results, folder: Path) -> None:
    split: Results = torch.load(folder / f"{count}-{rank}.pt", weights_only=True)
    assert split.keys() == plain.keys()
    for case, (velocity, gradients) in plain.items():
        assert _relative(split[case][0], velocity) < 1e-6, case
        assert split[case][1].keys() == gradients.keys()
        for name, gradient in gradients.items():
            assert _relative(split[case][1][name], gradient) < 1e-5, f"{case}: {name}"


def _relative(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-12))


def test_heads_that_do_not_divide_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dist, "get_world_size", lambda group: 4)
    with pytest.raises(SettingsError, match="6 heads cannot be split over 4 processes.*divides 6"):
        split_sequence(awake_actor(CONFIGS["joint"]), None)  # type: ignore[arg-type]
