"""The order of training is a pure function of (seed, epoch, position): not of ranks, workers or interruptions."""

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from dreamactor_core.errors import InputError, SettingsError
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.dataset import SamplingDataSettings
from dreamactor_dataset.clip_table import ClipTable
from dreamactor_dataset.sampling import Draw, WindowSampler
from hypothesis import given, settings
from hypothesis import strategies as st

# Clip, start, frame count and references of the draws of one epoch.
GOLDEN = [(0, 0, 57, (2, 0)), (2, 0, 49, (73, 40)), (1, 12, 49, (56,)), (3, 4, 85, (65,)), (4, 0, 85, (55, 93))]
QUICK = settings(max_examples=40, deadline=None)


def _table(lengths: list[int], seed: int = 0) -> ClipTable:
    rng = np.random.default_rng(seed)
    count = len(lengths)
    return ClipTable(
        lengths=np.array(lengths),
        sizes=np.array([(128, 128), (96, 160), (160, 96)])[rng.integers(3, size=count)],
        yaw_frames=np.stack([rng.integers(length, size=3) for length in lengths]),
        full_body=rng.random(count) < 0.5,
        has_track=np.ones(count, bool),
        has_truth=rng.random(count) < 0.5,
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


tables = st.builds(_table, st.lists(st.integers(25, 400), min_size=1, max_size=60), st.integers(0, 99))
seeds = st.integers(0, 2**32 - 1)
batch_sizes = st.integers(1, 5)


@QUICK
@given(tables, seeds, batch_sizes, st.sampled_from([1, 2, 4]), st.integers(0, 50))
def test_ranks_and_resuming_change_nothing(
    table: ClipTable, seed: int, batch_size: int, world: int, consumed: int
) -> None:
    whole = list(islice(_sampler(table, seed=seed, batch_size=batch_size).stream(), consumed + 12))
    ranks = [
        _sampler(table, seed=seed, batch_size=batch_size).stream(rank=rank, world=world, consumed=consumed)
        for rank in range(world)
    ]
    steps = 12 // world
    resumed = [next(rank) for _ in range(steps) for rank in ranks]
    assert resumed == whole[consumed:]


@QUICK
@given(tables, seeds, batch_sizes, st.integers(0, 5))
def test_every_clip_is_shown_once_an_epoch(table: ClipTable, seed: int, batch_size: int, epoch: int) -> None:
    draws = _epoch(_sampler(table, seed=seed, batch_size=batch_size), epoch)
    assert sorted(draw.clip_index for draw in draws) == list(range(len(table)))
    assert [draw.position for draw in draws] == list(range(len(table)))
    assert {draw.epoch for draw in draws} == {epoch}


@QUICK
@given(tables, seeds, batch_sizes)
def test_windows_lie_in_their_clips(table: ClipTable, seed: int, batch_size: int) -> None:
    for draw in _epoch(_sampler(table, seed=seed, batch_size=batch_size), 1):
        length = table.lengths[draw.clip_index]
        assert draw.frame_count % 4 == 1
        assert 25 <= draw.frame_count <= 121
        assert 0 <= draw.start <= length - draw.frame_count
        # Cached latents can be sliced: a carried window begins at the last frame of a latent.
        assert draw.start % 4 == 0
        assert draw.carried == (draw.start > 0)
        assert draw.size == tuple(table.sizes[draw.clip_index])


@QUICK
@given(tables, seeds, batch_sizes)
def test_a_batch_is_one_rectangle(table: ClipTable, seed: int, batch_size: int) -> None:
    sampler = _sampler(table, seed=seed, batch_size=batch_size)
    for index in range(sampler.batches_per_epoch):
        batch = sampler.batch(index)
        assert 1 <= len(batch) <= batch_size
        assert len({(draw.size, draw.frame_count, draw.reference_count) for draw in batch}) == 1


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
    table = _table([50] * 6)
    only_truth = ClipTable(
        table.lengths, table.sizes, table.yaw_frames, table.full_body, np.zeros(6, bool), np.ones(6, bool)
    )
    assert all(draw.use_truth for draw in _epoch(_sampler(only_truth, truth_share=0.0), 0))


def test_a_clip_as_long_as_the_window_is_never_carried() -> None:
    draws = _epoch(_sampler(_table([25, 26, 27, 28] * 5), carried_share=1.0), 0)
    assert {(draw.start, draw.frame_count, draw.carried) for draw in draws} == {(0, 25, False)}


def test_ranks_side_by_side_have_like_work() -> None:
    rng = np.random.default_rng(0)
    sampler = _sampler(_table(rng.integers(121, 400, 2000).tolist()), batch_size=1, deal=8)
    cost = [
        sum(draw.frame_count * draw.size[0] * draw.size[1] for draw in sampler.batch(index)) for index in range(1600)
    ]
    steps = np.array(cost).reshape(-1, 8)
    busy = steps.sum() / (steps.max(axis=1) * 8).sum()
    at_random = rng.permutation(np.array(cost)).reshape(-1, 8)
    assert busy > 0.95
    assert busy > 1.3 * at_random.sum() / (at_random.max(axis=1) * 8).sum()


def test_golden_sequence() -> None:
    # A change here changes what every resumed training shows.
    draws = _epoch(_sampler(_table([60, 70, 80, 90, 100]), seed=7), 3)
    assert [(draw.clip_index, draw.start, draw.frame_count, draw.reference_frames) for draw in draws] == GOLDEN


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="a clip has 20 frames"):
        _sampler(_table([30, 20]))
    with pytest.raises(InputError, match="no clip"):
        ClipTable(*(np.zeros(shape) for shape in (0, (0, 2), (0, 3), 0, 0, 0)))
    with pytest.raises(InputError, match="rank 2 of 2"):
        next(_sampler(_table([30])).stream(rank=2, world=2))
    for wrong in ({"min_frames": 24}, {"min_frames": 49, "max_frames": 25}, {"min_references": 3, "max_references": 2}):
        with pytest.raises(SettingsError):
            load_settings({f"dataset.sampling.{key}": value for key, value in wrong.items()})
