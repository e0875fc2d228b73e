"""Shares of framings, categories and sources are met by weights; the evaluation list stays what it was."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.errors import InputError, SettingsError
from dreamactor_core.manifest import ClipRow, write_manifest
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.dataset import BalanceSettings, SamplingDataSettings
from dreamactor_dataset.balance.evaluation_list import freeze, frozen_rows, read_frozen
from dreamactor_dataset.balance.weights import Stratum, stratum_weights
from dreamactor_dataset.clip_table import ClipTable
from dreamactor_dataset.sampling import WindowSampler
from hypothesis import given, settings
from hypothesis import strategies as st

STRATA = [
    Stratum(framing, category, source)
    for framing in ("half", "full", "portrait")
    for category in ("dance", "sport", "speech")
    for source in ("street", "studio")
]


def _shares(weights: np.ndarray, counts: np.ndarray, name: str) -> dict[str, float]:
    mass = weights * counts / (weights * counts).sum()
    return {
        value: float(sum(part for stratum, part in zip(STRATA, mass, strict=True) if getattr(stratum, name) == value))
        for value in {getattr(stratum, name) for stratum in STRATA}
    }


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=len(STRATA), max_size=len(STRATA)))
def test_all_shares_are_met_together(many: list[int]) -> None:
    counts = np.array(many)
    asked = BalanceSettings(framing={"full": 0.5}, category={"dance": 0.3, "sport": 0.1}, source={"studio": 0.05})
    weights = stratum_weights(STRATA, counts, asked)
    assert (weights * counts).sum() == pytest.approx(counts.sum())
    assert _shares(weights, counts, "framing")["full"] == pytest.approx(0.5, abs=1e-4)
    assert _shares(weights, counts, "category") == pytest.approx({"dance": 0.3, "sport": 0.1, "speech": 0.6}, abs=1e-4)
    assert _shares(weights, counts, "source")["studio"] == pytest.approx(0.05, abs=1e-4)


def test_without_shares_every_clip_counts_alike_and_absent_values_are_left_out() -> None:
    counts = np.array([7, 0, *[3] * 16])
    np.testing.assert_allclose(stratum_weights(STRATA, counts, BalanceSettings(framing={}))[counts > 0], 1)
    only_half = counts * np.array([stratum.framing == "half" for stratum in STRATA])
    np.testing.assert_allclose(stratum_weights(STRATA, only_half, BalanceSettings())[only_half > 0], 1)


def test_contradicting_shares_are_refused() -> None:
    # All who dance are seen half.
    counts = np.array([5 if (stratum.framing == "half") == (stratum.category == "dance") else 0 for stratum in STRATA])
    with pytest.raises(InputError, match="cannot all be met"):
        stratum_weights(STRATA, counts, BalanceSettings(framing={"half": 0.1}, category={"dance": 0.6}))
    for wrong in ({"full": 0.7, "half": 0.7}, {"full": 0}, {"full": -1}):
        with pytest.raises(SettingsError):
            load_settings({"dataset.balance.framing": wrong})


def test_half_of_what_is_drawn_of_a_skewed_set_shows_whole_bodies_in_every_epoch() -> None:
    rng = np.random.default_rng(0)
    count = 3000
    strata = (rng.random(count) < 0.1).astype(np.uint16)
    counts = np.bincount(strata)
    weights = stratum_weights([Stratum("half", "a", "b"), Stratum("full", "a", "b")], counts, BalanceSettings())
    table = ClipTable(
        lengths=rng.integers(25, 200, count).astype(np.int32),
        buckets=rng.integers(4, size=count).astype(np.uint16),
        bucket_sizes=np.array([(960, 640), (640, 960), (784, 784), (1120, 544)]),
        yaw_frames=np.zeros((count, 3), np.int32),
        full_body=strata == 1,
        has_track=np.ones(count, bool),
        has_truth=np.zeros(count, bool),
        strata=strata,
        stratum_weights=weights,
    )
    sampler = WindowSampler(table, SamplingDataSettings(), seed=1, batch_size=2)
    for epoch in range(3):
        first = epoch * sampler.batches_per_epoch
        shown = [draw.clip_index for at in range(sampler.batches_per_epoch) for draw in sampler.batch(first + at)]
        assert len(shown) == pytest.approx(count, abs=4)
        assert np.mean(strata[shown]) == pytest.approx(0.5, abs=0.01)
        # Weights, not copies: each of the rare clips is shown about equally often.
        times = np.bincount(shown, minlength=count)[strata == 1]
        assert times.max() - times.min() <= 2


def _rows(clip_row: Callable[..., ClipRow], video: Path) -> list[ClipRow]:
    people = [("ada", "test"), ("ada", "test"), ("ben", "test"), ("cleo", "train")]
    return [
        clip_row(video, clip_id=f"c{number}", identity=name, group=name, split=split, track="t")
        for number, (name, split) in enumerate(people)
    ]


def test_the_evaluation_list_is_frozen(
    tmp_path: Path, write_clip: Callable[..., Path], clip_row: Callable[..., ClipRow]
) -> None:
    rows = _rows(clip_row, write_clip(tmp_path / "v.mp4", 3))
    manifest, path = tmp_path / "manifest.parquet", tmp_path / "evaluation.json"
    write_manifest(manifest, rows)
    frozen = freeze(manifest, path)
    # First one clip of everybody.
    assert [clip.clip_id for clip in frozen.clips] == ["c0", "c2", "c1"]
    assert read_frozen(path) == frozen
    assert [clip.clip_id for clip in freeze(manifest, tmp_path / "two.json", 2).clips] == ["c0", "c2"]
    with pytest.raises(InputError, match="is frozen already"):
        freeze(manifest, path)

    write_manifest(manifest, [*rows, rows[0].model_copy(update={"clip_id": "new"})])
    assert [row.clip_id for row in frozen_rows(path, manifest)] == ["c0", "c2", "c1"]
    for change, reason in (
        ({"sha256": "0" * 64}, "c0 of the frozen list .* is not what it was"),
        ({"split": "train"}, "c0 of the frozen list .* is not among the held-out"),
    ):
        write_manifest(manifest, [rows[0].model_copy(update=change), *rows[1:]])
        with pytest.raises(InputError, match=reason):
            frozen_rows(path, manifest)
    write_manifest(manifest, [*rows[:3], rows[3].model_copy(update={"group": "ben"})])
    with pytest.raises(InputError, match="c3 of split train shows what"):
        frozen_rows(path, manifest)

    content = json.loads(path.read_text())
    content["clips"] = content["clips"][:2]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="changed since it was frozen"):
        read_frozen(path)
