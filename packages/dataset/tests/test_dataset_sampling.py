"""The order of training is a pure function of (seed, epoch, position): not of ranks, workers or interruptions."""

from collections import Counter
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from dreamactor_core.errors import InputError, SettingsError
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.dataset import SamplingDataSettings
from dreamactor_dataset.clip_table import ClipTable
from dreamactor_dataset.sampling import Draw, WindowSampler
from dreamactor_dataset.sampling.cost import frame_tokens, sample_cost
from hypothesis import given, settings
from hypothesis import strategies as st

# Clip, start, frame count and references of the draws of one epoch.
GOLDEN = [(2, 0, 49, (73,)), (1, 0, 49, (12,)), (3, 4, 85, (87, 65)), (4, 8, 85, (54, 55, 93)), (0, 0, 53, (4, 0))]
QUICK = settings(max_examples=40, deadline=None)


def _table(lengths: list[int], seed: int = 0, weights: tuple[float, ...] = (1.0,)) -> ClipTable:
    rng = np.random.default_rng(seed)
    count = len(lengths)
    return ClipTable(
        lengths=np.array(lengths, np.int32),
        buckets=rng.integers(3, size=count).astype(np.uint16),
        bucket_sizes=np.array([(128, 128), (96, 160), (160, 96)]),
        yaw_frames=np.stack([rng.integers(length, size=3) for length in lengths]),
        full_body=rng.random(count) < 0.5,
        has_track=np.ones(count, bool),
        has_truth=rng.random(count) < 0.5,
        strata=rng.integers(len(weights), size=count).astype(np.uint16),
        stratum_weights=np.array(weights),
    )


def _sampler(
    table: ClipTable, *, seed: int = 0, batch_size: int = 3, min_frames: int = 25, **changes: float
) -> WindowSampler:
    return WindowSampler(
        table, SamplingDataSettings(min_frames=min_frames, **changes), seed=seed, batch_size=batch_size
    )


def _epoch(sampler: WindowSampler, epoch: int) -> list[Draw]:
    first = epoch * sampler.batches_per_epoch
    return [draw for index in range(sampler.batches_per_epoch) for draw in sampler.batch(first + index)]


lengths = st.lists(st.integers(25, 400), min_size=1, max_size=60)
tables = st.builds(_table, lengths, st.integers(0, 99))
weighted_tables = st.builds(_table, lengths, st.integers(0, 99), st.sampled_from([(1.0,), (0.56, 5.0), (0.2, 1, 3)]))
seeds = st.integers(0, 2**32 - 1)
batch_sizes = st.integers(1, 5)
worlds = st.sampled_from([1, 2, 4])


@QUICK
@given(weighted_tables, seeds, batch_sizes, worlds, worlds, st.integers(0, 12), st.integers(0, 4))
def test_ranks_kills_and_resuming_change_nothing(
    table: ClipTable, seed: int, batch_size: int, world: int, world_after: int, steps: int, lost_steps: int
) -> None:
    """Killed after any step, on any number of ranks; what came after the last checkpoint is shown again, on others."""

    def run(world: int, consumed: int, steps: int) -> list[tuple[Draw, ...]]:
        ranks = [
            _sampler(table, seed=seed, batch_size=batch_size).stream(rank=rank, world=world, consumed=consumed)
            for rank in range(world)
        ]
        return [next(rank) for _ in range(steps) for rank in ranks]

    saved = world * steps
    killed = run(world, 0, steps + lost_steps)
    resumed = run(world_after, saved, 4)
    whole = list(islice(_sampler(table, seed=seed, batch_size=batch_size).stream(), saved + 4 * world_after))
    assert killed[:saved] + resumed == whole


@QUICK
@given(weighted_tables, seeds, batch_sizes, st.integers(0, 60))
def test_any_batch_can_be_had_alone(table: ClipTable, seed: int, batch_size: int, index: int) -> None:
    # Workers each make some of the batches, in whatever order.
    in_order = _sampler(table, seed=seed, batch_size=batch_size)
    before = [in_order.batch(each) for each in range(index + 1)]
    assert _sampler(table, seed=seed, batch_size=batch_size).batch(index) == before[-1]


@QUICK
@given(tables, seeds, batch_sizes, st.integers(0, 5))
def test_every_clip_is_shown_once_an_epoch(table: ClipTable, seed: int, batch_size: int, epoch: int) -> None:
    draws = _epoch(_sampler(table, seed=seed, batch_size=batch_size), epoch)
    assert sorted(draw.clip_index for draw in draws) == list(range(len(table)))
    assert [draw.position for draw in draws] == list(range(len(table)))
    assert {draw.epoch for draw in draws} == {epoch}


@QUICK
@given(weighted_tables, seeds, st.integers(0, 5))
def test_a_clip_is_shown_as_often_as_its_weight_says(table: ClipTable, seed: int, epoch: int) -> None:
    sampler = _sampler(table, seed=seed)
    shown = Counter(draw.clip_index for draw in _epoch(sampler, epoch))
    weights = table.stratum_weights[table.strata]
    for bucket in np.unique(table.buckets):
        members = np.flatnonzero(table.buckets == bucket)
        total = sum(shown[clip] for clip in members)
        # A frame size has a whole number of samples, at least one.
        assert total == max(1, round(weights[members].sum())) or np.ptp(table.stratum_weights) == 0
        for clip in members:
            assert abs(shown[clip] - weights[clip] * total / weights[members].sum()) < 1


def test_a_light_clip_does_not_wait_for_ever() -> None:
    table = replace(_table([100] * 50, weights=(0.3, 3.0)), buckets=np.zeros(50, np.uint16))
    sampler = _sampler(table)
    shown = [{draw.clip_index for draw in _epoch(sampler, epoch)} for epoch in range(12)]
    for start in range(4):
        assert set().union(*shown[start : start + 8]) == set(range(50))


@QUICK
@given(weighted_tables, seeds, batch_sizes)
def test_windows_lie_in_their_clips(table: ClipTable, seed: int, batch_size: int) -> None:
    for draw in _epoch(_sampler(table, seed=seed, batch_size=batch_size), 1):
        length = table.lengths[draw.clip_index]
        assert draw.frame_count % 4 == 1
        assert 25 <= draw.frame_count <= 121
        assert 0 <= draw.start <= length - draw.frame_count
        # Cached latents can be sliced: a carried window begins at the last frame of a latent.
        assert draw.start % 4 == 0
        assert draw.carried == (draw.start > 0)
        assert draw.size == table.size(draw.clip_index)


@QUICK
@given(weighted_tables, seeds, batch_sizes)
def test_a_batch_is_one_rectangle(table: ClipTable, seed: int, batch_size: int) -> None:
    sampler = _sampler(table, seed=seed, batch_size=batch_size)
    for index in range(sampler.batches_per_epoch):
        batch = sampler.batch(index)
        assert 1 <= len(batch) <= batch_size
        assert len({(draw.size, draw.frame_count, draw.reference_count) for draw in batch}) == 1


@QUICK
@given(tables, seeds, st.integers(0, 5))
def test_a_substitute_fits_into_the_batch(table: ClipTable, seed: int, attempt: int) -> None:
    sampler = _sampler(table, seed=seed)
    draw = sampler.batch(0)[0]
    other = sampler.substitute(draw, attempt)
    assert other == _sampler(table, seed=seed).substitute(draw, attempt)
    for name in ("size", "frame_count", "reference_count", "position", "drop_reference", "drop_motion"):
        assert getattr(other, name) == getattr(draw, name)
    assert other.start + other.frame_count <= table.lengths[other.clip_index]


@QUICK
@given(tables, seeds)
def test_references_are_the_chosen_views(table: ClipTable, seed: int) -> None:
    for draw in _epoch(_sampler(table, seed=seed), 0):
        assert 1 <= draw.reference_count <= 3
        views = Counter(table.yaw_frames[draw.clip_index].tolist())
        assert not Counter(draw.reference_frames) - views
        if draw.half_body_frame is not None:
            assert table.full_body[draw.clip_index]
            assert 0 <= draw.half_body_frame < table.lengths[draw.clip_index]


def test_seeds_and_epochs_differ() -> None:
    table = _table([200] * 40)
    epochs = [_epoch(_sampler(table, seed=seed), epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(draw.clip_index for draw in draws) for draws in epochs}) == 4
    assert len({frozenset((draw.clip_index, draw.start, draw.frame_count) for draw in draws) for draws in epochs}) == 4
    assert len({draw.augmentation for draws in epochs for draw in draws}) == 160


def test_shares_are_met_on_average() -> None:
    table = _table([400] * 4000)
    draws = _epoch(_sampler(table, carried_share=0.7, drop_reference=0.1, drop_motion=0.2, truth_share=0.25), 0)
    truth = [draw.use_truth for draw in draws if table.has_truth[draw.clip_index]]
    assert np.mean([draw.carried for draw in draws]) == pytest.approx(0.7, abs=0.04)
    assert np.mean([draw.drop_reference for draw in draws]) == pytest.approx(0.1, abs=0.03)
    assert np.mean([draw.drop_motion for draw in draws]) == pytest.approx(0.2, abs=0.03)
    # Dropped independently, else one of the two guidances is never learnt.
    assert np.mean([draw.drop_motion and draw.drop_reference for draw in draws]) == pytest.approx(0.02, abs=0.015)
    assert np.mean(truth) == pytest.approx(0.25, abs=0.04)
    assert not any(draw.use_truth for draw in draws if not table.has_truth[draw.clip_index])
    assert set(Counter(draw.reference_count for draw in draws)) == {1, 2, 3}
    assert {draw.frame_count for draw in draws} == set(range(25, 122, 4))


def test_a_clip_with_its_true_track_only_uses_it() -> None:
    only_truth = replace(_table([50] * 6), has_track=np.zeros(6, bool), has_truth=np.ones(6, bool))
    assert all(draw.use_truth for draw in _epoch(_sampler(only_truth, truth_share=0.0), 0))


def test_a_clip_as_long_as_the_window_is_never_carried() -> None:
    draws = _epoch(_sampler(_table([25, 26, 27, 28] * 5), carried_share=1.0), 0)
    assert {(draw.start, draw.frame_count, draw.carried) for draw in draws} == {(0, 25, False)}


def test_attention_makes_long_windows_dear() -> None:
    tokens = frame_tokens(np.array((960, 640)))
    short, long = (float(sample_cost(np.array(frames), tokens, np.array(0), 13_000)) for frames in (25, 121))
    assert long / short == pytest.approx(31 / 7 * (1 + 31 * 2400 / 13_000) / (1 + 7 * 2400 / 13_000))


def test_ranks_side_by_side_have_like_work_in_every_epoch() -> None:
    rng = np.random.default_rng(0)
    table = replace(
        _table(rng.integers(121, 400, 1999).tolist()), bucket_sizes=np.array([(960, 640), (640, 960), (784, 784)])
    )
    sampler = _sampler(table, batch_size=1, deal=8)

    def cost_of(draw: Draw) -> float:
        tokens = frame_tokens(np.array(draw.size))
        return float(sample_cost(np.array(draw.frame_count), tokens, np.array(draw.reference_count), 13_000))

    cost = [
        sum(map(cost_of, sampler.batch(index)))
        # Not a multiple of eight: the second epoch begins in the middle of a step.
        for index in range(2 * sampler.batches_per_epoch // 8 * 8)
    ]
    steps = np.array(cost).reshape(-1, 8)
    busy = steps.sum() / (steps.max(axis=1) * 8).sum()
    at_random = rng.permutation(np.array(cost)).reshape(-1, 8)
    assert busy > 0.95
    assert busy > 1.6 * at_random.sum() / (at_random.max(axis=1) * 8).sum()


def test_golden_sequence() -> None:
    # A change here changes what every resumed training shows.
    draws = _epoch(_sampler(_table([60, 70, 80, 90, 100]), seed=7), 3)
    assert [(draw.clip_index, draw.start, draw.frame_count, draw.reference_frames) for draw in draws] == GOLDEN


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="a clip has 20 frames"):
        _sampler(_table([30, 20]))
    with pytest.raises(InputError, match="no clip"):
        ClipTable(*(np.zeros(shape) for shape in (0, 0, (1, 2), (0, 3), 0, 0, 0, 0, 1)))
    with pytest.raises(InputError, match="not there"):
        replace(_table([30, 30]), strata=np.array([0, 1]))
    with pytest.raises(InputError, match="rank 2 of 2"):
        next(_sampler(_table([30])).stream(rank=2, world=2))
    for wrong in ({"min_frames": 24}, {"min_frames": 49, "max_frames": 25}, {"min_references": 3, "max_references": 2}):
        with pytest.raises(SettingsError):
            load_settings({f"dataset.sampling.{key}": value for key, value in wrong.items()})


def test_windows_may_start_inside_their_clip_with_nothing_given() -> None:
    table = _table([121] * 200)
    draws = _epoch(_sampler(table, min_frames=9, max_frames=9, carried_share=0.3, inside_share=0.5), 0)
    assert all(draw.start % 4 == 0 and draw.start + draw.frame_count <= 121 for draw in draws)
    carried = [draw for draw in draws if draw.carried]
    inside = [draw for draw in draws if not draw.carried and draw.start > 0]
    assert 0.2 < len(carried) / len(draws) < 0.4
    assert 0.25 < len(inside) / len(draws) < 0.45
    assert len({draw.start for draw in inside}) > 15


def test_a_stage_may_have_shorter_windows() -> None:
    shared = SamplingDataSettings(min_frames=25, max_frames=33)
    short = shared.at_most(9)
    assert (short.min_frames, short.max_frames) == (9, 9)
    assert (shared.at_most(29).min_frames, shared.at_most(29).max_frames) == (25, 29)
    assert shared.at_most(None) == shared.at_most(81) == shared
