"""A plan as text."""

from collections.abc import Iterator

from dreamactor_model.plan.plan import Memory, Plan

_GIB, _PETA, _DAY_HOURS = 2**30, 1e15, 24


def plan_text(plan: Plan) -> str:
    """For people: memory by ZeRO stage and policy, the choice, operations and time."""
    return "\n".join([*_head(plan), "", *_memory(plan), "", _choice(plan), "", *_time(plan)])


def _head(plan: Plan) -> Iterator[str]:
    load, total = plan.load, plan.parameters.learning + plan.parameters.frozen
    yield f"{load.preset.name}: {total / 1e9:.2f} B parameters, all of them learning"
    yield (
        f"a clip a rank: {load.frames} frames of {load.width}x{load.height}, {load.references} references: "
        f"{load.latent_frames} x {load.tokens_a_frame} video tokens, {load.tokens} in all"
    )
    if plan.sequence_parallel > 1:
        yield f"each clip is split over {plan.sequence_parallel} ranks"


def _memory(plan: Plan) -> Iterator[str]:
    yield f"GiB a rank of {plan.machine.gpus}; states are weights, gradients, optimizer, average and buckets:"
    yield f"{'ZeRO':>4}  {'checkpointing':<13} {'states':>8} {'activations':>12} {'peak':>8}"
    for option in plan.options:
        mark = "  <- fits first" if option is plan.chosen else ""
        yield (
            f"{option.zero_stage:>4}  {option.checkpointing:<13} {_states(option) / _GIB:>8.1f} "
            f"{option.activations / _GIB:>12.1f} {option.peak / _GIB:>8.1f}{mark}"
        )


def _states(option: Memory) -> float:
    return option.states.constant + option.states.gradients + option.states.buckets


def _choice(plan: Plan) -> str:
    machine = plan.machine
    room = f"{machine.memory_bytes / _GIB:.0f} GiB less {machine.reserve:.0%} for kernels and fragments"
    if plan.chosen is None:
        return f"nothing fits {room}: use more ranks, --sequence-parallel, shorter clips or a smaller area"
    return (
        f"fits {room}: training.zero_stage={plan.chosen.zero_stage} "
        f"training.activation_checkpointing={plan.chosen.checkpointing}"
    )


def _time(plan: Plan) -> Iterator[str]:
    for policy, cost in plan.costs.items():
        yield (
            f"a step with checkpointing {policy}: {cost.flops / _PETA:.3f} PFLOP a rank"
            f" ({cost.useful_flops / _PETA:.3f} without what is computed again)"
        )
    machine = plan.machine
    yield f"at {machine.mfu:.0%} of {machine.tflops:.0f} TFLOP/s, every operation counted:"
    for name, duration in plan.durations.items():
        yield f"  {name}: {duration.steps} steps of {duration.step_s:.2f} s, {duration.days:.2f} days"
    days = sum(duration.days for duration in plan.durations.values())
    steps = sum(duration.steps for duration in plan.durations.values())
    yield f"  all {steps} steps: {days:.1f} days, {days * _DAY_HOURS * machine.gpus:.0f} GPU-hours"
