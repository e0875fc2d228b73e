"""The average of the weights, over what a rank holds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from dreamactor_model.training.checkpoints.fragments import HeldState
from dreamactor_model.training.run.ema import WeightAverage
from torch import nn


class _Engine:
    """Without ZeRO every rank holds the parameters themselves."""

    device = torch.device("cpu")
    global_steps = 0

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.basic_optimizer = self.optimizer = torch.optim.AdamW(learning)

    def zero_optimization_stage(self) -> int:
        return 0


@pytest.fixture(autouse=True)
def _one_rank(tmp_path: Path) -> Iterator[None]:
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_it_follows_by_the_stated_formula_and_gives_the_weights_back() -> None:
    module = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    module[1].requires_grad_(False)
    weight, frozen = module[0].weight, module[1].weight.clone()
    average = WeightAverage(HeldState(_Engine(module)), decay=0.5)
    first = weight.detach().clone()
    with torch.no_grad():
        weight += 1
    # min(0.5, 1 / 10) of the old, 0.9 of the new
    average.update(step=1)
    with average.in_place_of_weights(module):
        assert torch.allclose(weight, first + 0.9)
    assert torch.equal(weight, first + 1)
    average.update(step=1000)
    with average.in_place_of_weights(module):
        assert torch.allclose(weight, first + 0.95)
        assert torch.equal(module[1].weight, frozen)
