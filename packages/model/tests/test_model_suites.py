"""Which clips a suite takes, who drives whom, and what its scenes hold."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from dreamactor_core.errors import InputError, WeightsError
from dreamactor_core.manifest import ClipRow, Framing, Split, read_manifest, write_manifest
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.evaluation import SuiteName
from dreamactor_dataset.balance.evaluation_list import freeze
from dreamactor_model.evaluation.contender import ModelContender, load_contender
from dreamactor_model.evaluation.suites.scenes import load_scene
from dreamactor_model.evaluation.suites.selection import Pair, select_pairs
from dreamactor_model.evaluation.suites.table import MODEL, SUITES, Variant
from dreamactor_model.evaluation.unavailable import Unavailable
from dreamactor_signals.head_angles import rotation_of_angles
from staged_person import loaded_model
from swaying_person import person_track

SETTINGS = load_settings({"dataset.sampling.area": 64 * 64, "evaluation.frames": 9})
SAMPLING = SETTINGS.sampling.model_copy(update={"steps": 1, "segment_frames": 9})


def row(name: str, framing: Framing, person: str, split: Split = "test") -> ClipRow:
    return ClipRow(
        clip_id=name,
        video=f"{name}.mp4",
        sha256=name * 4,
        width=64,
        height=64,
        fps_num=25,
        fps_den=1,
        frame_count=29,
        source="test",
        identity=person,
        category="test",
        licence="CC0",
        consent="none needed",
        split=split,
        synthetic=True,
        track=f"{name}.safetensors",
        framing=framing,
    )


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Two close-ups and three bodies, of three people; each clip turns its head farther than the one before."""
    rows = [
        row("a", "portrait", "ann"),
        row("b", "half", "ann"),
        row("c", "portrait", "bob"),
        row("d", "full", "bob"),
        row("e", "full", "cid"),
        row("f", "portrait", "eve", "train"),
    ]
    for number, each in enumerate(rows):
        yaw_rad = np.linspace(0, 0.2 * number, 29)
        turned = rotation_of_angles(yaw_rad, np.zeros(29), np.zeros(29))
        replace(person_track(29), head_rotation=turned).save(tmp_path / str(each.track))
    write_manifest(tmp_path / "manifest.parquet", rows)
    return tmp_path / "manifest.parquet"


def names(manifest: Path, suite: SuiteName, clips: int = 9, frozen: Path | None = None) -> list[str]:
    return [pair.name for pair in select_pairs(SUITES[suite], manifest, clips=clips, frozen=frozen)]


def test_the_settings_know_every_suite() -> None:
    assert tuple(SUITES) == get_args(SuiteName)


def test_every_suite_names_its_variants_once_and_says_how_their_weights_are_made() -> None:
    for suite in SUITES.values():
        assert len({variant.name for variant in suite.variants}) == len(suite.variants)
        assert all(variant.training for variant in suite.variants if variant.weights)


@pytest.mark.parametrize(
    ("suite", "clips"),
    [
        ("held-out", ["a", "b", "c", "d", "e"]),
        ("portrait", ["a", "c"]),
        ("body", ["b", "d", "e"]),
        ("references", ["e", "d", "c", "b", "a"]),
        ("cross-driven", ["a--c", "c--a", "d--e", "e--d"]),
        ("bone-lengths", ["d--e", "e--d"]),
    ],
)
def test_a_suite_takes_the_held_out_clips_it_is_about(manifest: Path, suite: SuiteName, clips: list[str]) -> None:
    assert names(manifest, suite) == clips
    assert names(manifest, suite, clips=2) == clips[:2]


def test_clips_of_unknown_framing_count_where_framing_does_not_matter(manifest: Path) -> None:
    rows = [each.model_copy(update={"framing": None}) for each in read_manifest(manifest)]
    write_manifest(manifest, rows)
    assert names(manifest, "held-out") == ["a", "b", "c", "d", "e"]
    with pytest.raises(InputError, match="portrait needs 1 held-out portrait clips, there are 0"):
        names(manifest, "portrait")


def test_nobody_drives_themselves_in_another_clip(manifest: Path) -> None:
    rows = {each.clip_id: each for each in read_manifest(manifest)}
    for pair in select_pairs(SUITES["cross-driven"], manifest, clips=9):
        assert pair.person.group != pair.driver.group
        assert rows[pair.driver.clip_id].framing == pair.person.framing


def test_a_frozen_list_decides_which_clips_there_are(manifest: Path, tmp_path: Path) -> None:
    # Two of three people's clips: the first of each.
    freeze(manifest, tmp_path / "frozen.json", 2)
    assert names(manifest, "held-out", frozen=tmp_path / "frozen.json") == ["a", "c"]
    with pytest.raises(InputError, match="body needs 1 held-out half or full clips, there are 0"):
        names(manifest, "body", frozen=tmp_path / "frozen.json")


def test_the_release_suite_refuses_few_clips(manifest: Path) -> None:
    with pytest.raises(InputError, match="needs 100 held-out .* there are 5"):
        names(manifest, "release")


def test_a_clip_that_drives_itself_has_its_truth_and_measures_no_reference(clip_manifest: Path) -> None:
    (clip,) = [each for each in read_manifest(clip_manifest) if each.split == "test"]
    pair = Pair(clip, clip)
    scene = load_scene(pair, clip_manifest.parent, SUITES["held-out"], SETTINGS)
    assert scene.truth_THWC is not None
    assert scene.truth_THWC.shape == (9, 64, 64, 3)
    assert scene.measured.tolist() == list(range(1, 9))
    np.testing.assert_array_equal(scene.references_RHWC[0], scene.truth_THWC[0])
    assert scene.driving is scene.performer


def test_a_canvas_may_be_finer_than_training_frames(clip_manifest: Path) -> None:
    (clip,) = [each for each in read_manifest(clip_manifest) if each.split == "test"]
    coarse, fine = (
        load_scene(Pair(clip, clip), clip_manifest.parent, SUITES["held-out"], SETTINGS, fineness)
        for fineness in (1, 2)
    )
    assert fine.size == (128, 128)
    assert fine.truth_THWC is not None
    assert fine.truth_THWC.shape == (9, 128, 128, 3)
    np.testing.assert_allclose(
        fine.driving.project(fine.driving.joints_cam_m),
        2 * coarse.driving.project(coarse.driving.joints_cam_m),
        rtol=1e-4,
    )


def test_further_references_are_other_sides_and_are_not_measured_either(clip_manifest: Path, tmp_path: Path) -> None:
    (clip,) = [each for each in read_manifest(clip_manifest) if each.split == "test"]
    yaw_rad = np.zeros(29)
    yaw_rad[[4, 20]] = 0.9, -0.6
    turned = rotation_of_angles(yaw_rad, np.zeros(29), np.zeros(29))
    replace(person_track(29), head_rotation=turned).save(tmp_path / "turning.safetensors")
    turning = clip.model_copy(update={"track": str(tmp_path / "turning.safetensors")})
    scene = load_scene(Pair(turning, turning), clip_manifest.parent, SUITES["references"], SETTINGS)
    assert scene.references_RHWC.shape == (3, 64, 64, 3)
    # Frame 20 is a reference too, beyond the nine frames that are animated.
    assert scene.measured.tolist() == [1, 2, 3, 5, 6, 7, 8]
    assert scene.truth_THWC is not None
    np.testing.assert_array_equal(scene.references_RHWC[1], scene.truth_THWC[4])


def test_somebody_elses_motion_comes_on_the_persons_own_body(clip_manifest: Path, tmp_path: Path) -> None:
    rows = {each.clip_id: each for each in read_manifest(clip_manifest)}
    tall = person_track(29, 0.5)
    replace(tall, joints_cam_m=tall.joints_cam_m * 1.3).save(tmp_path / "tall.safetensors")
    driver = rows["train-0"].model_copy(update={"track": str(tmp_path / "tall.safetensors")})
    scene = load_scene(Pair(rows["test-0"], driver), clip_manifest.parent, SUITES["cross-driven"], SETTINGS)
    assert scene.truth_THWC is None
    assert scene.filmed_THWC.shape == (9, 64, 64, 3)
    assert scene.measured.tolist() == list(range(9))
    assert scene.driving.frame_size == scene.size == (64, 64)
    arm = np.linalg.norm(np.diff(scene.driving.joints_cam_m[:, [3, 4]], axis=1), axis=-1)
    own = np.linalg.norm(np.diff(scene.reference.joints_cam_m[:, [3, 4]], axis=1), axis=-1)
    np.testing.assert_allclose(arm, np.broadcast_to(own, arm.shape), rtol=1e-3)


def test_variants_show_the_model_what_they_say(clip_manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clip,) = [each for each in read_manifest(clip_manifest) if each.split == "test"]
    scene = load_scene(Pair(clip, clip), clip_manifest.parent, SUITES["references"], SETTINGS)
    model = loaded_model()
    made = {
        variant.name: ModelContender(model, variant, SAMPLING, variant.guidance or "sphere").animate(scene)
        for variant in (
            MODEL,
            Variant("again", ""),
            Variant("real", "", references="several"),
            Variant("made", "", references="made"),
            Variant("faceless", "", face=False),
            Variant("landmarks", "", guidance="landmarks"),
        )
    }
    assert all(video.shape == (9, 64, 64, 3) for video in made.values())
    np.testing.assert_array_equal(made["model"], made["again"])
    for name in ("real", "made", "faceless", "landmarks"):
        assert (made[name] != made["model"]).any(), name


def test_a_model_of_one_reference_is_shown_no_more() -> None:
    with pytest.raises(Unavailable, match="trained with one reference"):
        ModelContender(loaded_model(1), Variant("several", "", references="several"), SAMPLING, "sphere")


def test_weights_that_are_not_there_are_named_with_the_command_that_trains_them(tmp_path: Path) -> None:
    settings = load_settings({"training.models_dir": str(tmp_path)})
    mesh = next(variant for variant in SUITES["controls"].variants if variant.name == "mesh")
    with pytest.raises(Unavailable, match=r"mesh/stage3.*train it with: dvc repro suites/dvc.yaml:train@mesh"):
        load_contender(mesh, tmp_path, settings, SAMPLING)


def test_a_model_that_learned_other_control_maps_never_passes_for_the_variant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dreamactor_model.evaluation.contender.LoadedModel.load", lambda *_: loaded_model())
    mesh = next(variant for variant in SUITES["controls"].variants if variant.name == "mesh")
    with pytest.raises(Unavailable, match="learned from control maps of kind sphere, not mesh"):
        load_contender(mesh, tmp_path, load_settings(), SAMPLING)
    with pytest.raises(WeightsError, match="learned from control maps of kind sphere, not landmarks"):
        load_contender(MODEL, tmp_path, load_settings({"signals.guidance": "landmarks"}), SAMPLING)
