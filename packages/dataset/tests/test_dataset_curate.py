"""Clips are measured by what their tracks and pictures show; each refusal says what was measured and asked."""

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.footage import footage
from dreamactor_core.image import read_image
from dreamactor_core.manifest import ClipRow, read_manifest, write_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.curate import CurateSettings
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.video import VideoWriter, read_frames
from dreamactor_dataset.curate import clips, curate_clips, performance
from dreamactor_dataset.curate.limits import refusal
from dreamactor_dataset.curate.measures import Measures
from dreamactor_dataset.curate.overlays import text_share
from dreamactor_dataset.curate.pictures import sharpness
from dreamactor_dataset.report import write_report
from dreamactor_signals.trackers.embedded.counting import PeopleCounter

GOOD = Measures(
    people=1, seen_share=1.0, person_share=0.8, face_px=80.0, sharpness=0.6, occlusion=0.1, motion_m_s=0.3,
    yaw_range_deg=40.0, text_share=0.0, duration_s=4.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("measure", "value", "reason"),
    [
        ("people", 2, "too many people: 2, at most 1"),
        ("seen_share", 0.5, "person often not seen: 50 %, at least 90 %"),
        ("person_share", 0.1, "person too small: 10 %, at least 30 %"),
        ("face_px", 12.3, "face too small: 12.3 px, at least 24 px"),
        ("sharpness", 0.2, "blurred: 0.2, at least 0.3"),
        ("occlusion", 0.8, "face hidden: 80 %, at most 50 %"),
        ("motion_m_s", 0.001, "nothing moves: 0.001 m/s, at least 0.01 m/s"),
        ("motion_m_s", 9.0, "moves too fast: 9 m/s, at most 6 m/s"),
        ("text_share", 0.5, None),
        ("face_px", None, None),
        ("people", None, None),
    ],
)
def test_each_limit_refuses_and_says_why(measure: str, value: float | None, reason: str | None) -> None:
    assert refusal(replace(GOOD, **{measure: value}), CurateSettings()) == reason


def test_reasons_add_up_and_limits_can_be_left_out() -> None:
    poor = replace(GOOD, people=3, yaw_range_deg=2.0)
    assert refusal(poor, CurateSettings(min_yaw_range_deg=10)) == (
        "too many people: 3, at most 1; head hardly turns: 2 degrees, at least 10 degrees"
    )
    assert refusal(poor, CurateSettings(max_people=None)) is None
    assert refusal(replace(GOOD, text_share=0.02), CurateSettings(max_text_share=0.005)) == (
        "text over the picture: 2 %, at most 0.5 %"
    )


def test_measures_of_a_known_performance(standing_person: Callable[..., MotionTrack]) -> None:
    track = standing_person(20)
    # 1.7 m from crown to heel, focal length half the height times the distance: 0.85 of the frame.
    assert performance.person_share(track) == pytest.approx(0.85, abs=0.01)
    assert performance.face_height_px(track) == pytest.approx(16, abs=0.1)
    assert performance.seen_share(track) == 1
    assert performance.yaw_range_deg(track) == pytest.approx(np.degrees(2 * 0.9), abs=1)
    away = replace(track, head_confidence=np.repeat([1.0, 0.0], 10), joint_confidence=np.zeros((20, 58)))
    assert performance.seen_share(away) == 0.5
    hidden = replace(track, face_occlusion=np.linspace(0, 1, 20))
    assert performance.occlusion(hidden) == pytest.approx(0.5)
    assert performance.occlusion(track) is None


def test_motion_is_the_mean_speed_across_the_picture(standing_person: Callable[..., MotionTrack]) -> None:
    still = standing_person(11, yaw_rad=np.zeros(11))
    assert performance.motion_m_s(still) == 0
    walk_m = np.linspace(0, 0.8, 11)[:, None] * [1.0, 0.0, 0.0]
    walking = replace(
        still,
        joints_cam_m=still.joints_cam_m + walk_m[:, None],
        head_center_cam_m=still.head_center_cam_m + walk_m,
    )
    assert performance.motion_m_s(walking) == pytest.approx(2.0, rel=1e-3)
    # Of a face in close-up nothing but its turning is seen.
    face = replace(standing_person(11), joint_confidence=np.zeros((11, 58)))
    assert performance.motion_m_s(face) == pytest.approx(0.1 * 2 * 2.5, rel=0.2)
    assert performance.motion_m_s(replace(face, head_confidence=np.zeros(11))) is None


def test_sharpness_falls_with_blur_whatever_the_picture() -> None:
    portrait = read_image(footage("astronaut"))
    for picture in (portrait[:300, 100:400], portrait[200:, 200:]):
        levels = [sharpness(picture)] + [sharpness(cv2.GaussianBlur(picture, (0, 0), sigma)) for sigma in (1, 2, 4)]
        assert sorted(levels, reverse=True) == levels
        assert levels[0] > 0.4
        assert levels[-1] < 0.3
    assert sharpness(np.full((40, 40, 3), 7, np.uint8)) == 0


@pytest.mark.parametrize("name", ["smiling-man", "acted-close-up", "two-people"])
def test_a_subtitle_that_stays_is_told_from_the_picture_and_from_one_that_goes(name: str) -> None:
    """The last is a street under trees, with rows of windows, filmed by a still camera."""
    plain = read_frames(footage(name), [5, 20, 35])
    height = plain.shape[1]
    subtitled = plain.copy()
    for picture in subtitled:
        for colour, thickness in ((0, 6), (255, 2)):
            place = (height // 3, round(0.93 * height))
            cv2.putText(
                picture, "I never said that", place, 0, height / 400, (colour,) * 3, max(1, thickness * height // 400),
            )  # fmt: skip
    assert text_share(plain) == 0
    assert 0.005 < (text_share(subtitled) or 0) < 0.1
    # Seen in one moment only it may be anything.
    assert text_share([subtitled[0], plain[1], plain[2]]) == 0
    assert text_share(subtitled[:1]) is None


def test_people_are_counted_by_bodies_and_faces() -> None:
    portrait = cv2.resize(read_image(footage("astronaut")), (320, 320))
    nobody = np.full((320, 320, 3), 90, np.uint8)
    counter = PeopleCounter(threads=1, min_score=0.5)
    assert counter.count(portrait) == 1
    assert counter.count(np.concatenate([portrait, portrait[:, ::-1]], axis=1)) == 2
    assert counter.count(nobody) == 0
    # One frame may err.
    assert counter.count_in([portrait, nobody, np.concatenate([portrait, portrait[:, ::-1]], axis=1), portrait]) == 1


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory, standing_person: Callable[..., MotionTrack]) -> Path:
    """A tracked set: a good clip, one of nobody, one blurred, one whose video is gone, and one rejected before."""
    folder = tmp_path_factory.mktemp("tracked")
    blocks = np.random.default_rng(0).integers(0, 255, (20, 12, 3), np.uint8)
    noise = np.kron(blocks, np.ones((8, 8, 1), np.uint8))
    rows = []
    for name in ("good", "nobody", "blurred", "gone", "refused"):
        picture = cv2.GaussianBlur(noise, (0, 0), 4) if name == "blurred" else noise
        with VideoWriter(folder / f"{name}.mp4", Fraction(25), size=(96, 160), crf=4) as writer:
            for _ in range(12):
                writer.write(picture)
        track = standing_person(12)
        if name == "nobody":
            track = replace(track, head_confidence=np.zeros(12), joint_confidence=np.zeros((12, 58)))
        track.save(folder / "tracks" / f"{name}.safetensors")
        rows.append(
            ClipRow(
                clip_id=name, video=f"{name}.mp4", sha256=name, width=96, height=160, fps_num=25, fps_den=1,
                frame_count=12, source="made", identity=name, category="dance", licence="CC0-1.0", consent="given",
                split="train", synthetic=False, framing="full", track=f"tracks/{name}.safetensors",
                status="rejected" if name == "refused" else "kept",
                reason="too short: <b>2</b> frames" if name == "refused" else None,
            )
        )  # fmt: skip
    (folder / "gone.mp4").unlink()
    write_manifest(folder / "manifest.parquet", rows)
    return folder


SETTINGS = CurateSettings(max_people=None, min_face_px=8, min_sharpness=0.4, processes=1, frames=3)


def _curate(tracked: Path, output: Path, settings: CurateSettings = SETTINGS) -> dict[str, ClipRow]:
    rows = curate_clips(tracked / "manifest.parquet", output, settings, SignalsSettings(), report=lambda _: None)
    return {row.clip_id: row for row in rows}


def test_clips_beyond_a_limit_are_rejected_with_the_reason(tracked: Path, tmp_path: Path) -> None:
    rows = _curate(tracked, tmp_path / "curated")
    assert {name: row.status for name, row in rows.items() if row.status == "kept"} == {"good": "kept"}
    assert str(rows["nobody"].reason).startswith("person often not seen: 0 %, at least 90 %; person too small: 0 %")
    assert str(rows["blurred"].reason).startswith("blurred: 0.")
    assert rows["gone"].reason == "InputError: no such file"
    assert rows["refused"].reason == "too short: <b>2</b> frames"
    assert read_manifest(tmp_path / "curated" / "manifest.parquet") == sorted(rows.values(), key=lambda r: r.clip_id)
    assert (tmp_path / "curated" / rows["good"].video).resolve() == (tracked / "good.mp4").resolve()
    assert (tmp_path / "curated" / str(rows["good"].track)).exists()
    measured = pyarrow.parquet.read_table(tmp_path / "curated" / "measures.parquet").to_pydict()
    assert measured["clip_id"] == ["blurred", "good", "nobody"]
    assert measured["duration_s"] == pytest.approx([0.48] * 3)


def test_a_clip_that_nobody_tracked_is_judged_by_its_truth(tracked: Path, tmp_path: Path) -> None:
    rows = [
        row.model_copy(update={"track": None, "truth_track": row.track, "video": str(tracked / row.video)})
        for row in read_manifest(tracked / "manifest.parquet")
        if row.clip_id in ("good", "nobody")
    ]
    exact = [row.model_copy(update={"truth_track": str(tracked / str(row.truth_track))}) for row in rows]
    write_manifest(tmp_path / "manifest.parquet", exact)
    curated = _curate(tmp_path, tmp_path / "curated")
    assert {name: row.status for name, row in curated.items()} == {"good": "kept", "nobody": "rejected"}


def test_other_limits_measure_nothing_again_and_torn_lines_are_passed_over(
    tracked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _curate(tracked, tmp_path / "curated")
    journal = tmp_path / "curated" / clips.JOURNAL
    journal.write_text(journal.read_text() + '{"key": "torn')
    asked: list[str] = []
    monkeypatch.setattr(clips, "measure_clip", lambda video, *_, **__: asked.append(video.stem))
    easier = SETTINGS.model_copy(update={"min_sharpness": None})
    again = _curate(tracked, tmp_path / "curated", easier)
    assert set(asked) == {"gone"}
    assert (first["blurred"].status, again["blurred"].status) == ("rejected", "kept")
    assert len([json.loads(line) for line in journal.read_text().splitlines()]) == 3


def test_nothing_good_and_nothing_tracked_are_told(tracked: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no clip is good enough"):
        _curate(tracked, tmp_path / "curated", SETTINGS.model_copy(update={"min_duration_s": 100.0}))
    rows = [row.model_copy(update={"track": None}) for row in read_manifest(tracked / "manifest.parquet")]
    write_manifest(tmp_path / "manifest.parquet", rows)
    with pytest.raises(InputError, match="has no tracked clip"):
        _curate(tmp_path, tmp_path / "curated")


def test_the_report_is_one_page_with_everything_in_it(tracked: Path, tmp_path: Path) -> None:
    _curate(tracked, tmp_path / "curated")
    write_report(tmp_path / "curated" / "manifest.parquet", tmp_path / "page.html", SETTINGS, pictures=4)
    page = (tmp_path / "page.html").read_text()
    assert "1 of 5 clips are kept" in page
    assert page.count("<svg") == len(Measures.names()) - 2  # people were not counted, occlusion not looked at
    # The good clip, and of the others the three whose file is there.
    assert page.count("data:image/jpeg;base64,") == 4
    assert "too short: &lt;b&gt;2&lt;/b&gt; frames" in page
    assert "<b>2</b>" not in page
    for outside in ("http://", "https://", "<script", 'src="/'):
        assert outside not in page


def test_a_report_of_a_set_that_was_not_curated_says_so(tracked: Path, tmp_path: Path) -> None:
    write_report(tracked / "manifest.parquet", tmp_path / "page.html", SETTINGS, pictures=0)
    page = (tmp_path / "page.html").read_text()
    assert "Nothing was measured: run dreamactor dataset curate." in page
    assert "<svg" not in page
