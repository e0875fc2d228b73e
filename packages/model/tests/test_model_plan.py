"""The planner: bytes by hand-computed figures, the choice, what it refuses, the command."""

from dataclasses import replace

import pytest
from dreamactor_core.errors import SettingsError
from dreamactor_core.settings.training import DiffusionStageSettings
from dreamactor_model.commands import app
from dreamactor_model.plan.command import parse_area, parse_memory
from dreamactor_model.plan.plan import Plan, make_plan
from dreamactor_model.plan.states import ParameterCount, count_parameters, state_bytes
from dreamactor_model.plan.trace import trace_step
from dreamactor_model.plan.workload import Cut, Machine, TrainingLoad
from dreamactor_model.presets import get_preset
from typer.testing import CliRunner

GIB = 2**30
TINY = get_preset("tiny")
LOAD = TrainingLoad(TINY, 128, 128, 25)
STAGES = {"stage1": DiffusionStageSettings(steps=100, train=("base",), conditions=("reference", "pose"))}


@pytest.mark.parametrize(("zero", "bytes_a_parameter"), [(0, 16), (1, 5.5), (2, 3.75), (3, 2)])
def test_bytes_a_parameter_are_those_of_zero(zero: int, bytes_a_parameter: float) -> None:
    states = state_bytes(ParameterCount(1000, 0), zero, 8, 2, fused=True)
    assert states.weights + states.gradients + states.optimizer == 1000 * bytes_a_parameter
    assert states.average == 1000 * 4 / (8 if zero else 1)


def test_frozen_parameters_cost_their_weights_alone() -> None:
    frozen = state_bytes(ParameterCount(0, 1000), 1, 8, 2, fused=True)
    assert frozen.constant + frozen.gradients == 2000


def test_groups_add_up() -> None:
    both, base = (count_parameters(TINY.actor, groups) for groups in (("base", "face_encoder", "face"), ("base",)))
    # What finds the face in a crop has learnt it before.
    assert 0 < both.frozen < 0.02 * both.learning
    assert base.learning + base.frozen == both.learning + both.frozen
    assert both.frozen < base.frozen < base.learning


def test_checkpointing_trades_memory_for_operations() -> None:
    none, selective, full = (trace_step(LOAD, Cut(1, kind)) for kind in ("none", "selective", "full"))
    assert none.block_bytes > selective.block_bytes > full.block_bytes
    assert none.flops < selective.flops < full.flops
    assert none.useful_flops == none.flops == full.useful_flops
    # The whole forward pass of the blocks once more, a third of what there was, less what is outside the blocks.
    assert 1.1 < full.flops / none.flops < 1.34
    halved = trace_step(LOAD, Cut(1, "full", sequence_parallel=2))
    assert halved.block_bytes == full.block_bytes / 2


def _plan(memory_bytes: int) -> Plan:
    return make_plan(LOAD, Machine(8, memory_bytes, 148.0), STAGES)


def test_the_lowest_stage_that_fits_is_taken() -> None:
    roomy = _plan(64 * GIB)
    assert roomy.chosen is roomy.options[0]
    by_peak = sorted(roomy.options, key=lambda option: option.peak)
    tight = _plan(int(by_peak[3].peak / 0.92) + 1)
    assert tight.chosen is not None
    fitting = [option for option in tight.options if option.peak <= by_peak[3].peak]
    assert tight.chosen.zero_stage == min(option.zero_stage for option in fitting)
    assert _plan(GIB // 100).chosen is None
    duration = roomy.durations["stage1"]
    assert duration.days == pytest.approx(100 * duration.step_s / 86_400)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SettingsError, match="4n"):
        replace(LOAD, frames=26)
    with pytest.raises(SettingsError, match="tokens of 16 pixels"):
        replace(LOAD, width=130)
    with pytest.raises(SettingsError, match="split over 8"):
        make_plan(LOAD, Machine(8, GIB, 148.0), STAGES, sequence_parallel=8)
    with pytest.raises(SettingsError, match="WIDTHxHEIGHT"):
        parse_area("960")
    with pytest.raises(SettingsError, match="units: MiB"):
        parse_memory("96")
    assert parse_memory("1.5GiB") == 3 * GIB // 2
    assert parse_area("960x640") == (960, 640)


def test_the_command_prints_a_plan() -> None:
    options = ["--preset", "tiny", "--gpus", "2", "--memory", "8GiB", "--frames", "25", "--area", "128x128"]
    result = CliRunner().invoke(app, ["plan", *options])
    assert result.exit_code == 0, result.output
    assert "training.zero_stage=0" in result.output
    assert "all 70000 steps" in result.output
