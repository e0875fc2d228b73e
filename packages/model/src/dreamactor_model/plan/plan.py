"""The plan: memory of each ZeRO stage and checkpointing policy, the lowest stage that fits, operations and time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

from dreamactor_core.errors import SettingsError
from dreamactor_core.settings.training import ActivationCheckpointing, DiffusionStageSettings

from dreamactor_model.plan.states import ParameterCount, StateBytes, count_parameters, state_bytes
from dreamactor_model.plan.trace import StepCost, trace_step
from dreamactor_model.plan.workload import Cut, Machine, TrainingLoad

ZERO_STAGES = (0, 1, 2, 3)
# The first that fits is taken: what is computed again costs more time than what is divided.
CHECKPOINTING: tuple[ActivationCheckpointing, ...] = get_args(ActivationCheckpointing)
_DAY_S = 86_400


@dataclass(frozen=True)
class Memory:
    """Of one rank, at its worst moment.

    Attributes:
        states: held all through.
        activations: of forward and backward pass.
        peak: of all of it together.
    """

    zero_stage: int
    checkpointing: ActivationCheckpointing
    states: StateBytes
    activations: float
    peak: float


@dataclass(frozen=True)
class Duration:
    """Of one stage of training.

    Attributes:
        step_s: one step at the stated MFU.
    """

    steps: int
    step_s: float

    @property
    def days(self) -> float:
        """All its steps."""
        return self.steps * self.step_s / _DAY_S


@dataclass(frozen=True)
class Plan:
    """What a training costs.

    Attributes:
        parameters: of the model when everything learns.
        options: every ZeRO stage with every checkpointing policy.
        chosen: the lowest ZeRO stage that fits, with the least computed again; None where nothing fits.
        costs: of a step, by policy.
        durations: of the paper's stages under the chosen policy.
    """

    load: TrainingLoad
    machine: Machine
    sequence_parallel: int
    parameters: ParameterCount
    options: tuple[Memory, ...]
    chosen: Memory | None
    costs: Mapping[ActivationCheckpointing, StepCost]
    durations: Mapping[str, Duration]


def make_plan(
    load: TrainingLoad,
    machine: Machine,
    stages: Mapping[str, DiffusionStageSettings],
    *,
    sequence_parallel: int = 1,
    bytes_a_weight: int = 2,
) -> Plan:
    """Plan the training of the stages; memory is that of the whole model learning, as in the last one.

    Raises:
        SettingsError: the ranks or the model's heads cannot be dealt out over `sequence_parallel`.
    """
    _check_split(load, machine, sequence_parallel)
    whole = DiffusionStageSettings(steps=1)
    parameters = count_parameters(load.preset.actor, whole.train)
    cuts = [Cut(0, policy, sequence_parallel, bytes_a_weight, whole) for policy in CHECKPOINTING]
    costs = {cut.checkpointing: trace_step(load, cut) for cut in cuts}
    options = tuple(
        peak_memory(parameters, costs[cut.checkpointing], replace(cut, zero_stage=zero), machine.gpus)
        for zero in ZERO_STAGES
        for cut in cuts
    )
    room = machine.memory_bytes * (1 - machine.reserve)
    chosen = next((option for option in options if option.peak <= room), None)
    policy = chosen.checkpointing if chosen is not None else "full"
    durations = {
        name: Duration(row.steps, _step_s(load, Cut(0, policy, sequence_parallel, bytes_a_weight, row), machine))
        for name, row in stages.items()
    }
    return Plan(load, machine, sequence_parallel, parameters, options, chosen, costs, durations)


def peak_memory(parameters: ParameterCount, cost: StepCost, cut: Cut, ranks: int, *, fused: bool = True) -> Memory:
    """Of one rank: the worse of the backward pass and the optimizer's step."""
    states = state_bytes(parameters, cut.zero_stage, ranks, cut.bytes_a_weight, fused=fused)
    if cut.zero_stage >= 2:
        backward = cost.activation_bytes + states.gradients
    else:
        backward = max(cost.backward_bytes, states.gradients + cost.block_bytes)
    peak = states.constant + max(backward + states.buckets + states.gathered, states.gradients + states.step)
    return Memory(cut.zero_stage, cut.checkpointing, states, cost.activation_bytes, peak)


def _step_s(load: TrainingLoad, cut: Cut, machine: Machine) -> float:
    return trace_step(load, cut).flops / (machine.tflops * 1e12 * machine.mfu)


def _check_split(load: TrainingLoad, machine: Machine, parts: int) -> None:
    if machine.gpus % parts or load.preset.actor.heads % parts:
        raise SettingsError(
            f"a clip cannot be split over {parts} of {machine.gpus} ranks with {load.preset.actor.heads} heads",
            remedy="Choose a number that divides both",
        )
