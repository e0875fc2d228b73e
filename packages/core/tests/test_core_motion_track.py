import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.errors import InputError, TrackError
from dreamactor_core.files import load_tensors, save_tensors
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.surfaces import BODY_SURFACES, SURFACE_TERMS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MakeTrack = Callable[..., MotionTrack]


@given(
    frame_count=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
    units=st.booleans(),
    tokens=st.none() | st.integers(1, 16),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip_keeps_every_bit(
    random_track: MakeTrack, tmp_path: Path, frame_count: int, seed: int, units: bool, tokens: int | None
) -> None:
    track = random_track(frame_count, seed, units=units, tokens=tokens)
    track.save(tmp_path / "track.safetensors")
    assert MotionTrack.load(tmp_path / "track.safetensors") == track


@given(start=st.integers(0, 9), length=st.integers(1, 10))
def test_slice_takes_the_same_frames_of_every_array(random_track: MakeTrack, start: int, length: int) -> None:
    track = random_track(20)
    part = track[start : start + length]
    assert len(part) == length
    assert np.array_equal(part.joints_cam_m, track.joints_cam_m[start : start + length])
    assert np.array_equal(part.face_units, track.face_units[start : start + length])
    assert part.fps == track.fps


def test_projection_is_a_pinhole_camera(random_track: MakeTrack) -> None:
    track = replace(random_track(1), focal_px=100.0, principal_px=np.array([50.0, 40.0]))
    assert track.project(np.array([1.0, -2.0, 4.0])) == pytest.approx([75.0, -10.0])


def test_wrong_joint_count_is_refused(random_track: MakeTrack) -> None:
    track = random_track(3)
    with pytest.raises(TrackError, match="joints_cam_m has shape"):
        replace(track, joints_cam_m=track.joints_cam_m[:, :10])


def test_contradicting_lengths_are_refused(random_track: MakeTrack) -> None:
    track = random_track(3)
    with pytest.raises(TrackError, match="head_radius_m"):
        replace(track, head_radius_m=track.head_radius_m[:2])


def test_not_finite_is_refused(random_track: MakeTrack) -> None:
    track = random_track(3)
    joints = track.joints_cam_m.copy()
    joints[1, 2, 0] = np.nan
    with pytest.raises(TrackError, match="not finite"):
        replace(track, joints_cam_m=joints)


def test_confidence_outside_its_range_is_refused(random_track: MakeTrack) -> None:
    track = random_track(3)
    with pytest.raises(TrackError, match="leaves"):
        replace(track, joint_confidence=track.joint_confidence + 1)


def test_cut_file_is_refused(random_track: MakeTrack, tmp_path: Path) -> None:
    path = tmp_path / "track.safetensors"
    random_track(3).save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(TrackError, match="not a whole safetensors"):
        MotionTrack.load(path)


def test_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        MotionTrack.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    ("key", "value", "message"), [("version", 99, "version 99"), ("format", "other", "not a motion")]
)
def test_other_format_or_version_is_refused(
    random_track: MakeTrack, tmp_path: Path, key: str, value: object, message: str
) -> None:
    path = tmp_path / "track.safetensors"
    random_track(2).save(path)
    tensors, header = load_tensors(path)
    save_tensors(path, tensors, json.loads(json.dumps(header)) | {key: value})
    with pytest.raises(TrackError, match=message):
        MotionTrack.load(path)


def test_what_hides_the_face_is_kept_sliced_and_bounded(random_track: MakeTrack, tmp_path: Path) -> None:
    track = replace(random_track(4), face_occlusion=np.array([0, 0.25, 1, 0.5]))
    track[1:3].save(tmp_path / "track.safetensors")
    loaded = MotionTrack.load(tmp_path / "track.safetensors")
    assert loaded.face_occlusion is not None
    assert loaded.face_occlusion.tolist() == [0.25, 1]
    with pytest.raises(TrackError, match="face_occlusion leaves"):
        replace(track, face_occlusion=np.array([0, 0.25, 1.5, 0.5]))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_track_of_an_older_version_is_read_as_it_is(random_track: MakeTrack, tmp_path: Path, version: int) -> None:
    path, track = tmp_path / "track.safetensors", random_track(3)
    track.save(path)
    tensors, header = load_tensors(path)
    assert header["version"] == 4
    save_tensors(path, tensors, header | {"version": version})
    assert MotionTrack.load(path) == track
    assert MotionTrack.load(path).face_occlusion is None
    assert MotionTrack.load(path).scenery_motion is None
    assert MotionTrack.load(path).surface_motion is None


@pytest.mark.parametrize(
    ("name", "shape"), [("scenery_motion", (2, 3)), ("surface_motion", (len(BODY_SURFACES), 2, SURFACE_TERMS))]
)
def test_how_things_move_is_kept_sliced_and_of_one_shape(
    random_track: MakeTrack, tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    motion = np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32)
    track = replace(random_track(4), **{name: motion})
    track.save(tmp_path / "track.safetensors")
    loaded = MotionTrack.load(tmp_path / "track.safetensors")
    assert loaded == track
    np.testing.assert_array_equal(getattr(loaded[1:3], name), motion[1:3])
    with pytest.raises(TrackError, match=f"{name} has shape"):
        replace(track, **{name: motion[:, :1]})


def test_missing_array_is_refused(random_track: MakeTrack, tmp_path: Path) -> None:
    path = tmp_path / "track.safetensors"
    random_track(2).save(path)
    tensors, header = load_tensors(path)
    del tensors["head_radius_m"]
    save_tensors(path, tensors, header)
    with pytest.raises(TrackError, match="head_radius_m"):
        MotionTrack.load(path)


def test_a_track_survives_as_bytes_and_damage_is_told(random_track: MakeTrack, tmp_path: Path) -> None:
    track = random_track(5)
    track.save(tmp_path / "t.safetensors")
    data = (tmp_path / "t.safetensors").read_bytes()
    assert track.to_bytes() == data
    np.testing.assert_array_equal(MotionTrack.from_bytes(data, "shard").joints_cam_m, track.joints_cam_m)
    with pytest.raises(TrackError, match="shard: not a whole safetensors file"):
        MotionTrack.from_bytes(data[:-10], "shard")
