"""One draw becomes pixels, controls and references of one moment and one size."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import dreamactor_dataset.clip_set
import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.manifest import ClipRow, read_manifest, write_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import SamplingDataSettings, ShardsSettings
from dreamactor_core.video import read_frames
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.samples import SampleLoader
from dreamactor_dataset.sampling import Draw, WindowSampler
from dreamactor_dataset.shards.contents import half_body_of
from dreamactor_dataset.shards.pack import pack_clips
from dreamactor_signals.views import half_body_track

SETTINGS = SamplingDataSettings(min_frames=9, max_frames=17, area=64 * 96, context_latents=2)
DRAW = Draw(
    clip_index=0,
    epoch=0,
    position=0,
    start=12,
    frame_count=9,
    size=(64, 96),
    carried=True,
    reference_frames=(0, 29),
    half_body_frame=15,
    drop_reference=False,
    drop_motion=False,
    use_truth=True,
)


@pytest.fixture(scope="module")
def manifest(
    tmp_path_factory: pytest.TempPathFactory,
    write_clip: Callable[..., Path],
    standing_person: Callable[..., MotionTrack],
    clip_row: Callable[..., ClipRow],
) -> Path:
    """Two full-body clips of 30 frames with true tracks; the first has a tracked one too, a metre to the right."""
    folder = tmp_path_factory.mktemp("made")
    rows = []
    for shade, name in enumerate(("a", "b")):
        write_clip(folder / f"{name}.mp4", 30, shade=60 * shade)
        standing_person(30).save(folder / f"{name}.truth")
        rows.append(clip_row(folder / f"{name}.mp4", truth_track=f"{name}.truth", framing="full"))
    standing_person(30, pelvis_x_m=0.5).save(folder / "a.tracked")
    rows[0] = rows[0].model_copy(update={"track": "a.tracked"})
    write_manifest(folder / "manifest.parquet", rows)
    return folder / "manifest.parquet"


def _pack(manifest: Path, output: Path, fineness: int = 1) -> Path:
    settings = ShardsSettings(fineness=fineness)
    return pack_clips(manifest, output, settings, area=SETTINGS.area, report=lambda _: None)


@pytest.fixture(scope="module")
def index(manifest: Path) -> Path:
    return _pack(manifest, manifest.parent / "shards")


@pytest.fixture(scope="module")
def clips(index: Path) -> ClipSet:
    return ClipSet.load(index, "train", SETTINGS)


@pytest.fixture(scope="module")
def loader(clips: ClipSet) -> SampleLoader:
    return SampleLoader(clips, SETTINGS)


def _red_levels(frames: np.ndarray) -> np.ndarray:
    """Frame numbers, told by the clip's background."""
    return np.round(np.median(frames[..., 0], axis=(1, 2)) / 8)


def test_shards_may_be_finer_than_training_frames(manifest: Path, clips: ClipSet, tmp_path: Path) -> None:
    """Whoever wants training frames gets the means of the fine ones; whoever wants fine ones, these."""
    index = _pack(manifest, tmp_path / "fine", fineness=2)
    coarse, fine = (ClipSet.load(index, "train", SETTINGS, fineness=fineness) for fineness in (1, 2))
    assert coarse.table.size(0) == clips.table.size(0)
    assert fine.table.size(0) == tuple(2 * side for side in clips.table.size(0))
    for frames in (ClipSet.frames, ClipSet.half_bodies):
        shown_THW3, fine_THW3 = (frames(each, 0, [3, 11]).astype(float) for each in (coarse, fine))
        count, height, width, _ = shown_THW3.shape
        means_THW3 = fine_THW3.reshape(count, height, 2, width, 2, 3).mean(axis=(2, 4))
        np.testing.assert_allclose(shown_THW3, means_THW3, atol=0.51)
    assert np.abs(coarse.frames(0).astype(float) - clips.frames(0)).mean() < 2
    np.testing.assert_allclose(fine.face_center_px(0, 3), 2 * clips.face_center_px(0, 3), rtol=1e-5)
    assert coarse.frames(0, []).shape == (0, *clips.frames(0, [0]).shape[1:])


def test_coarse_shards_are_not_blown_up(index: Path) -> None:
    with pytest.raises(InputError, match=r"packed 1 times as fine .* 2 times is wanted.*dataset.shards.fineness=2"):
        ClipSet.load(index, "train", SETTINGS, fineness=2)


def test_all_parts_are_of_one_moment_and_size(loader: SampleLoader) -> None:
    sample = loader.sample(DRAW)
    assert sample.clip_id == "a"
    assert sample.context_frames == 8
    assert sample.video_THWC.shape == (17, 96, 64, 3)
    assert _red_levels(sample.video_THWC).tolist() == list(range(4, 21))
    assert sample.motion.control_TCHW.shape == (9, 6, 96, 64)
    assert sample.face_crops_THWC.shape == (9, 224, 224, 3)
    assert sample.references_RHWC.shape == (3, 96, 64, 3)
    # Of the half-body crops, which are few, the one nearest to frame 15.
    assert _red_levels(sample.references_RHWC).tolist() == [0, 29, 18]
    assert {
        array.dtype
        for array in (sample.video_THWC, sample.motion.control_TCHW, sample.face_crops_THWC, sample.references_RHWC)
    } == {np.dtype(np.uint8)}


def test_controls_lie_on_the_person(loader: SampleLoader) -> None:
    sample = loader.sample(DRAW)
    red_face = sample.video_THWC[sample.context_frames][..., 0] > 200
    red_face &= sample.video_THWC[sample.context_frames][..., 1] < 60
    sphere = sample.motion.control_TCHW[0, 3:].any(axis=0)
    assert sphere.any()
    face_y, face_x = np.argwhere(red_face).mean(axis=0)
    sphere_y, sphere_x = np.argwhere(sphere).mean(axis=0)
    assert abs(face_y - sphere_y) < 4
    assert abs(face_x - sphere_x) < 2
    # The face is red; so is the middle of its crop, where the tracker is right.
    crops_THWC = loader.open(replace(DRAW, clip_index=1)).face_crops()
    assert crops_THWC[0, 90:130, 90:130, 0].mean() > 200
    assert sample.motion.face_units_TU is not None
    np.testing.assert_allclose(sample.motion.face_units_TU[:, 0], np.linspace(0, 1, 30)[12:21], atol=1e-6)


def test_the_truth_or_the_tracked_track_is_used_as_drawn(loader: SampleLoader) -> None:
    truth, tracked = (
        np.argwhere(loader.open(replace(DRAW, use_truth=use)).motion().control_TCHW.any(axis=(0, 1)))[:, 1].mean()
        for use in (True, False)
    )
    assert tracked > truth + 5


def test_the_half_body_crop_is_nearer(loader: SampleLoader) -> None:
    draw = replace(DRAW, clip_index=1, reference_frames=(15,), half_body_frame=15)
    whole, crop = loader.open(draw).references()
    red = [((image[..., 0] > 200) & (image[..., 1] < 120)).sum() for image in (whole, crop)]
    assert red[1] > 1.5 * red[0] > 0


def test_cached_latents_need_no_pixels(loader: SampleLoader, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = loader.sample(DRAW).motion

    def refuse(*_: object) -> None:
        raise AssertionError("a picture was decoded")

    monkeypatch.setattr(dreamactor_dataset.clip_set, "read_pictures", refuse)
    np.testing.assert_array_equal(loader.open(DRAW).motion().control_TCHW, whole.control_TCHW)


def test_windows_that_are_not_carried_have_no_context(loader: SampleLoader) -> None:
    sample = loader.sample(replace(DRAW, start=0, carried=False))
    assert (sample.context_frames, len(sample.video_THWC)) == (0, 9)
    # A clip's beginning is all the past there is.
    assert loader.open(replace(DRAW, start=4)).context_frames == 4


def test_what_the_sampler_draws_can_be_loaded(clips: ClipSet, loader: SampleLoader) -> None:
    assert clips.table.full_body.all()
    assert [clips.table.size(clip) for clip in range(2)] == [(64, 96), (64, 96)]
    # The head turns from the least to the most yaw.
    assert clips.table.yaw_frames[:, :2].tolist() == [[29, 0], [29, 0]]
    sampler = WindowSampler(clips.table, SETTINGS, seed=1, batch_size=2)
    for draw in sampler.batch(0):
        sample = loader.sample(draw)
        assert len(sample.video_THWC) == sample.context_frames + draw.frame_count
        assert len(sample.motion.control_TCHW) == draw.frame_count
        assert len(sample.references_RHWC) == draw.reference_count


def _changed(manifest: Path, folder: Path, **changes: object) -> Path:
    """The manifest, its second row changed, packed in a folder of its own."""
    first, second = read_manifest(manifest)
    changed = manifest.parent / f"{folder.name}.parquet"
    write_manifest(changed, [first, ClipRow(**(second.model_dump() | changes))])
    return _pack(changed, folder)


def test_rows_that_are_not_kept_or_of_another_split_are_left_out(manifest: Path, tmp_path: Path) -> None:
    changed = _changed(manifest, tmp_path / "fewer", status="rejected", reason="made up")
    assert [row.clip_id for row in ClipSet.load(changed, "train", SETTINGS).rows] == ["a"]
    with pytest.raises(InputError, match="no clip of split 'val'"):
        ClipSet.load(changed, "val", SETTINGS)
    with pytest.raises(InputError, match="packed for frames of 6144 pixels"):
        ClipSet.load(changed, "train", SamplingDataSettings(area=64 * 64))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"frame_count": 31}, "30 frames, but clip b has 31"),
        ({"width": 192}, "frames of 96x160, the manifest says 192x160"),
    ],
)
def test_a_row_that_contradicts_its_files_is_left_out_and_told(
    manifest: Path, tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    first, second = read_manifest(manifest)
    changed = manifest.parent / "changed.parquet"
    write_manifest(changed, [first, ClipRow(**(second.model_dump() | changes))])
    said: list[str] = []
    index = pack_clips(changed, tmp_path, ShardsSettings(), area=SETTINGS.area, report=said.append)
    assert [row.clip_id for row in ClipSet.load(index, "train", SETTINGS).rows] == ["a"]
    assert len(said) == 1
    assert reason in said[0]


def test_frames_are_those_of_the_file(manifest: Path, loader: SampleLoader) -> None:
    source = read_frames(manifest.parent / "a.mp4", [12])[0]
    shown = loader.sample(replace(DRAW, carried=False)).video_THWC[0]
    # 96x160 fills 64x96 by two thirds: 107 rows, of which five go above and six below.
    assert abs(float(shown[40, 5].mean()) - float(source[67, 7].mean())) < 3


def test_references_come_with_the_pose_they_show(clips: ClipSet, loader: SampleLoader) -> None:
    maps_RCHW = loader.open(DRAW).reference_control()
    assert maps_RCHW.shape == (3, 6, 96, 64)
    assert maps_RCHW.dtype == np.uint8
    shown = replace(DRAW, start=29, frame_count=1, reference_frames=(29,), half_body_frame=None, use_truth=False)
    parts = loader.open(shown)
    np.testing.assert_array_equal(parts.reference_control(), parts.motion().control_TCHW)


@pytest.mark.parametrize(
    ("clip_index", "use_truth", "parsed"), [(0, True, [True, False]), (0, False, [False]), (1, True, [True])]
)
def test_a_sample_parses_each_track_once(
    loader: SampleLoader, monkeypatch: pytest.MonkeyPatch, clip_index: int, use_truth: bool, parsed: list[bool]
) -> None:
    """The second clip has a true track only, which serves the window, the references and the half-body crop."""
    asked: list[bool] = []
    parse = ClipSet.track

    def counted(clips: ClipSet, clip_index: int, *, truth: bool) -> MotionTrack:
        asked.append(truth)
        return parse(clips, clip_index, truth=truth)

    monkeypatch.setattr(ClipSet, "track", counted)
    loader.sample(replace(DRAW, clip_index=clip_index, use_truth=use_truth))
    assert asked == parsed


def test_the_pose_of_a_half_body_crop_is_that_of_the_crop(clips: ClipSet, loader: SampleLoader) -> None:
    whole_HW, half_HW = (maps[0, 3:].max(axis=0) > 0 for maps in np.split(loader.open(DRAW).reference_control()[1:], 2))
    # The head is nearer there, at the top, and not where it is in the whole frame.
    assert half_HW.sum() > 1.5 * whole_HW.sum()
    track = clips.track(0, truth=False)
    seen = half_body_track(track, half_body_of(track, clips.half_body_slot(0, 15)), DRAW.size)
    center_px = seen.project(seen.head_center_cam_m)[0]
    rows, columns = np.nonzero(half_HW)
    assert abs(rows.mean() + 0.5 - center_px[1]) < 1
    assert abs(columns.mean() + 0.5 - center_px[0]) < 1
