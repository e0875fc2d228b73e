"""The whole of `measure` on made-up cases: every metric once, one look at each result, reasons instead of gaps."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import get_args

import numpy as np
import pytest
from dreamactor_core.errors import NoPersonError, TrackerError
from dreamactor_core.footage import footage
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.settings.evaluation import MetricName
from dreamactor_core.video import read_frames
from dreamactor_model.evaluation import eyes as eyes_module
from dreamactor_model.evaluation import measuring
from dreamactor_model.evaluation.eyes import Eyes
from dreamactor_model.evaluation.measuring import METRICS, Case, describe, measure
from dreamactor_model.evaluation.observed import Observed
from dreamactor_signals.flow import look_again
from evaluation_cases import KnownEyes, made_case, standing_person

T = 17


@pytest.fixture
def settings() -> Settings:
    return load_settings({"evaluation.few_samples": "true", "evaluation.min_face_px": "16", "training.seed": "0"})


@pytest.fixture
def person() -> MotionTrack:
    return standing_person(T)


def _cases(person: MotionTrack, count: int = 2) -> list[Case]:
    random = np.random.default_rng(0)
    truths = [random.integers(0, 256, (T, 128, 96, 3), dtype=np.uint8) for _ in range(count)]
    cases = [
        made_case(np.roll(truth, 1 + number, axis=2), truth=truth, driving=person, segment_starts=(0, 10))
        for number, truth in enumerate(truths)
    ]
    return [replace(case, clip_id=f"made-up-{number}") for number, case in enumerate(cases)]


def test_settings_and_the_table_know_the_same_metrics() -> None:
    assert tuple(METRICS) == get_args(MetricName)
    assert [name for name, metric in METRICS.items() if metric.higher_is_better] == [
        "psnr_db",
        "ssim",
        "pose_near",
        "pose_found",
    ]
    assert all(metric.name == name and metric.unit and len(metric.protocol) > 30 for name, metric in METRICS.items())


@pytest.mark.slow
def test_every_metric_has_a_figure_or_a_reason(
    monkeypatch: pytest.MonkeyPatch, person: MotionTrack, settings: Settings
) -> None:
    eyes = KnownEyes(person)
    monkeypatch.setattr(measuring, "eyes_of", lambda _: eyes)
    cases = _cases(person)
    figures, reasons = measure(cases, settings)
    assert set(figures) | set(reasons) == set(METRICS)
    assert not set(figures) & set(reasons)
    assert list(reasons) == ["fid"]
    assert "evaluation.inception_path" in reasons["fid"]
    assert eyes.looked == 2 * len(cases), "each result and each reference once, for ten metrics"
    for name, figure in figures.items():
        assert figure.low <= figure.value <= figure.high, name
        assert np.isfinite([figure.low, figure.value, figure.high]).all(), name
        assert figure.n == len(cases)
    assert figures["pose_error"].value == pytest.approx(0, abs=1e-5)
    assert figures["fvd"].samples == 2
    assert figures["psnr_db"].low < figures["psnr_db"].high


def test_cases_of_one_name_are_refused(person: MotionTrack, settings: Settings) -> None:
    with pytest.raises(ValueError, match="one name"):
        measure(_cases(person, 1) * 2, settings)


def test_cross_driven_results_have_only_what_needs_no_truth(
    monkeypatch: pytest.MonkeyPatch, person: MotionTrack, settings: Settings
) -> None:
    monkeypatch.setattr(measuring, "eyes_of", lambda _: KnownEyes(person))
    cases = [replace(case, truth_THWC=None, segment_starts=(0,)) for case in _cases(person, 1)]
    figures, reasons = measure(cases, settings)
    assert set(reasons) == {"psnr_db", "ssim", "lpips", "fvd", "fid", "mobilenet_fd", "join_jump"}
    assert "one segment" in reasons["join_jump"]
    assert figures["flicker"].n == 1


def test_results_without_anybody_are_judged_by_what_was_not_found(
    monkeypatch: pytest.MonkeyPatch, person: MotionTrack, settings: Settings
) -> None:
    monkeypatch.setattr(measuring, "eyes_of", lambda _: KnownEyes())
    figures, reasons = measure(_cases(person, 1), settings)
    assert figures["pose_found"].value == figures["pose_near"].value == 0
    assert {"pose_error", "head_error_deg", "face_distance", "clothes_colour"} <= set(reasons)


def test_what_was_measured_and_how_stands_beside_the_figures(person: MotionTrack, settings: Settings) -> None:
    described = describe(_cases(person), settings)
    assert described["measured_frames"] == 2 * T
    metrics = described["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["lpips"]["network_sha256"] == "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"
    assert metrics["fid"]["network_sha256"].startswith("6726825d"), "which is in the name of the file"
    assert len(metrics["pose_error"]["network_sha256"].split()) == 2
    assert metrics["ssim"]["network_sha256"] is None


def test_without_a_tracker_the_rest_is_measured(
    monkeypatch: pytest.MonkeyPatch, person: MotionTrack, settings: Settings
) -> None:
    def missing(_: object) -> None:
        raise TrackerError("mmpose is not installed", remedy="Run: make setup-mmpose")

    monkeypatch.setattr(eyes_module, "make_tracker", missing)
    monkeypatch.setattr(measuring, "eyes_of", Eyes)
    figures, reasons = measure([replace(case, truth_THWC=None) for case in _cases(person, 1)], settings)
    assert set(figures) == {"flicker", "colour_drift", "join_jump"}
    assert reasons["pose_error"] == "mmpose is not installed. Run: make setup-mmpose"


def test_faces_are_compared_as_one_reader_reads_them(person: MotionTrack) -> None:
    frames = np.zeros((T, 128, 96, 3), np.uint8)
    own = Observed(made_case(frames, driving=person), KnownEyes(person))
    assert own.performed_track is own.case.driving
    exact = replace(person, trackers={})
    filmed = Observed(made_case(frames, truth=frames, driving=exact), KnownEyes(person))
    assert filmed.performed_track == person, "as read in the truth"
    assert Observed(made_case(frames, driving=exact), KnownEyes(person)).performed_track is None


def test_eyes_look_once_at_each_video_and_each_still(monkeypatch: pytest.MonkeyPatch, person: MotionTrack) -> None:
    looked: list[tuple[Fraction, int]] = []

    class Tracker:
        def track(self, frames: Iterable[np.ndarray], fps: Fraction, *_: object, **__: object) -> MotionTrack:
            seen = list(frames)
            looked.append((fps, len(seen)))
            if seen[0].max() == 0:
                raise NoPersonError("nobody")
            return person[: len(seen)]

    monkeypatch.setattr(eyes_module, "make_tracker", lambda _: Tracker())
    eyes = Eyes(load_settings().signals)
    moving = np.arange(1, T + 1, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    for _ in range(2):
        assert eyes.see(moving, Fraction(25)) == look_again(person, moving)
        assert eyes.see(np.zeros_like(moving), Fraction(25)) is None
    eyes.see(moving, Fraction(30))
    still = eyes.see(np.repeat(moving[3:4], T, axis=0), Fraction(25))
    assert still is not None
    assert len(still) == T
    assert looked == [(25, T), (25, 1), (30, T), (25, 1)]


@pytest.mark.slow
def test_many_clips_are_seen_by_several_processes_as_by_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = read_frames(footage("talking-head"), range(0, 51, 3))
    clips = [np.ascontiguousarray(frame[None, ::2, ::2]) for frame in frames]
    clips[3] = np.zeros_like(clips[3])
    rates = [Fraction(25)] * len(clips)
    alone, many = Eyes(settings.signals), Eyes(settings.signals)
    expected = [alone.see(clip, Fraction(25)) for clip in clips]
    alone.look_ahead(clips, rates)
    many.look_ahead(clips, rates)
    monkeypatch.setattr(eyes_module, "_look", lambda *_: pytest.fail("it has been seen"))
    for clip, one in zip(clips, expected, strict=True):
        assert alone.see(clip, Fraction(25)) == one == many.see(clip, Fraction(25))
    assert expected[3] is None
    assert expected[0] is not None


def test_cases_that_do_not_fit_together_are_refused(person: MotionTrack) -> None:
    frames = np.zeros((T, 128, 96, 3), np.uint8)
    with pytest.raises(ValueError, match="truth"):
        made_case(frames, truth=frames[1:], driving=person)
    with pytest.raises(ValueError, match="driving frames"):
        made_case(frames[1:], driving=person)
    with pytest.raises(ValueError, match="driving frames"):
        made_case(frames[:, :64], driving=person)


@pytest.mark.slow
def test_a_real_result_is_tracked_and_measured(settings: Settings) -> None:
    """Footage is its own result: nothing is wrong with it, but its first frame standing still is wrong in the face."""
    frames = read_frames(footage("talking-head"), range(0, 40, 10))
    driving = Eyes(settings.signals).see(frames, Fraction(3))
    assert driving is not None
    truth = made_case(frames, truth=frames, driving=driving)
    still = replace(truth, result_THWC=np.repeat(frames[:1], len(frames), axis=0))
    motion = ("pose_error", "head_error_deg", "expression_error")
    moving, standing = (measure([case], settings)[0] for case in (truth, still))
    for name in motion:
        assert moving[name].value == pytest.approx(0, abs=1e-3)
        assert standing[name].value > 10 * max(moving[name].value, 1e-3)
    assert moving["pose_found"].value == 1
    assert moving["face_distance"].value < 0.5
    assert moving["psnr_db"].value == 100
