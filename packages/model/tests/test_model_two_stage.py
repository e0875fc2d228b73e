"""Several references, given or made: how many reach the model, which, and what the records say of them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.errors import InputError, SettingsError
from dreamactor_core.image import read_image, write_image
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings import Settings, load_settings
from dreamactor_model.animate import AnimateRequest
from dreamactor_model.animate.frames import make_frames
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.animate.motion import TrackMotion
from dreamactor_model.animate.references import encode_references
from dreamactor_model.animate.subject import read_subject
from dreamactor_model.animate.views import with_made_views
from dreamactor_model.commands import animate
from dreamactor_signals.draw import control_maps
from dreamactor_signals.head_angles import rotation_of_angles
from dreamactor_signals.views import turning_views
from micro_model import MICRO_ACTOR, awake_actor
from staged_person import MadeUpTracker, loaded_model, staged_animator, write_shades
from swaying_person import SIDE, person_track
from torch import Tensor
from typer import Typer
from typer.testing import CliRunner

FRAMES = 9
# A reference's shade says how its person is turned; nobody is seen in the darkest.
YAW_DEG = {40: 0.0, 80: 35.0, 120: -60.0, 160: 10.0, 200: 70.0}
NOBODY = 20


def _turned(frames: list[np.ndarray]) -> MotionTrack:
    shade = int(frames[0].mean().round())
    if shade == NOBODY:
        raise InputError("no person")
    angle = np.radians([YAW_DEG[shade]])
    track = person_track(1)
    return replace(track, head_rotation=rotation_of_angles(angle, 0 * angle, 0 * angle))


def _performing(frames: list[np.ndarray]) -> MotionTrack:
    return person_track(len(frames))


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return loaded_model()


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings({"sampling.steps": 1, "sampling.segment_frames": FRAMES, "sampling.view_yaw_deg": 50.0})


def _images(folder: Path, shades: list[int]) -> tuple[Path, ...]:
    paths = tuple(folder / f"{shade}.png" for shade in shades)
    for path, shade in zip(paths, shades, strict=True):
        write_image(path, np.full((SIDE, SIDE, 3), shade, np.uint8))
    return paths


def _request(folder: Path, shades: list[int], *, two_stage: bool = False) -> AnimateRequest:
    driving = write_shades(folder / "driving.mp4", range(60, 60 + FRAMES))
    return AnimateRequest(_images(folder, shades), driving, folder / "out.mp4", two_stage=two_stage)


def _animated(request: AnimateRequest, settings: Settings, model: LoadedModel) -> tuple[dict, list[int]]:
    """The sidecar, and how many images each pass encoded."""
    counts: list[int] = []
    hook = model.vae.autoencoder.encoder.register_forward_pre_hook(
        lambda _, arguments: counts.append(len(arguments[0]))
    )
    result = staged_animator(_performing, _turned, settings, model).animate(request)
    hook.remove()
    return json.loads(result.sidecar.read_text()), counts


def test_made_views_are_the_picked_frames_of_the_first_pass(
    model: LoadedModel, settings: Settings, tmp_path: Path
) -> None:
    """Greatest, least and median yaw, by the pixels that the first pass gave, beside the reference itself."""
    subject = read_subject(_images(tmp_path, [40]), MadeUpTracker(_turned), area=SIDE * SIDE)
    sampling = settings.sampling
    both = with_made_views(model, subject, sampling, "sphere", count=3)
    track = turning_views(subject.track, FRAMES, np.radians(50))
    motion = TrackMotion(track, subject.size, own_face=subject.face_crop())
    frames = list(make_frames(model, encode_references(model, subject, "sphere"), motion, sampling))
    assert [view.yaw_deg for view in both.views[:2]] == [50, -50]
    assert both.views[2].yaw_deg == pytest.approx(0, abs=1e-3)
    assert both.paths == subject.paths
    expected = [subject.images_RHWC[0], *(frames[view.frame] for view in both.views)]
    np.testing.assert_array_equal(both.images_RHWC, expected)


def test_each_reference_shows_how_its_person_stands(model: LoadedModel, settings: Settings, tmp_path: Path) -> None:
    subject = read_subject(_images(tmp_path, [40, NOBODY, 120]), MadeUpTracker(_turned), area=SIDE * SIDE)
    maps_RCHW = subject.control_maps("sphere")
    assert maps_RCHW.shape == (3, 6, SIDE, SIDE)
    assert not maps_RCHW[1].any()
    np.testing.assert_array_equal(maps_RCHW[0], control_maps(subject.track, subject.size)[0])
    # The third is turned to the other side than the first.
    assert (maps_RCHW[2, 3:] != maps_RCHW[0, 3:]).any()
    viewed = with_made_views(model, subject, settings.sampling, "sphere", count=2)
    track = turning_views(subject.track, FRAMES, np.radians(50))
    for place, view in enumerate(viewed.views):
        expected = control_maps(track[view.frame : view.frame + 1], subject.size)[0]
        np.testing.assert_array_equal(viewed.control_maps("sphere")[3 + place], expected)


@pytest.mark.parametrize("reads_pose", [True, False])
def test_poses_of_references_are_drawn_for_models_that_read_them(
    model: LoadedModel, tmp_path: Path, reads_pose: bool
) -> None:
    subject = read_subject(_images(tmp_path, [40, 120]), MadeUpTracker(_turned), area=SIDE * SIDE)
    actor = awake_actor(replace(MICRO_ACTOR, reference_pose=reads_pose))
    references = encode_references(replace(model, actor=actor), subject, "sphere")
    assert references.latents_RCHW.shape[0] == 2
    if reads_pose:
        np.testing.assert_array_equal(references.control_RCHW, subject.control_maps("sphere"))
    else:
        assert references.control_RCHW is None


def test_the_first_pass_turns_the_reference_with_its_own_face(
    model: LoadedModel, settings: Settings, tmp_path: Path
) -> None:
    subject = read_subject(_images(tmp_path, [80]), MadeUpTracker(_turned), area=SIDE * SIDE)
    seen: dict[str, Tensor] = {}
    hooks = [
        model.actor.pose_encoder.register_forward_pre_hook(lambda _, a: seen.update(pose=a[0])),
        model.actor.face_encoder.register_forward_pre_hook(lambda _, a: seen.update(face=a[0])),
    ]
    with_made_views(model, subject, settings.sampling, "sphere", count=2)
    for hook in hooks:
        hook.remove()
    maps = control_maps(turning_views(subject.track, FRAMES, np.radians(50)), subject.size)
    np.testing.assert_allclose(seen["pose"][0].numpy().transpose(1, 0, 2, 3) * 255, maps, atol=1e-3)
    own_face = subject.face_crop().transpose(2, 0, 1)
    assert own_face.any()
    np.testing.assert_allclose(seen["face"].numpy() * 255, np.tile(own_face, (FRAMES, 1, 1, 1)), atol=1e-3)


@pytest.mark.parametrize(("trained_with", "made"), [(2, [50.0]), (3, [50.0, -50.0])])
def test_two_stages_fill_the_places_that_training_knew(
    settings: Settings, tmp_path: Path, trained_with: int, made: list[float]
) -> None:
    sidecar, encoded = _animated(_request(tmp_path, [40], two_stage=True), settings, loaded_model(trained_with))
    assert encoded == [1, 1 + len(made)]
    assert [item["role"] for item in sidecar["inputs"]] == ["reference", "driving"]
    assert sidecar["settings"]["two_stage"]
    assert sidecar["settings"]["sampling"]["view_yaw_deg"] == 50
    assert [note.split()[-4:-3] for note in sidecar["notes"]] == [[f"{yaw},"] for yaw in made]


def test_the_contact_sheet_shows_made_views_in_a_column_of_their_own(
    model: LoadedModel, settings: Settings, tmp_path: Path
) -> None:
    widths = []
    for two_stage in (False, True):
        folder = tmp_path / str(two_stage)
        folder.mkdir()
        request = _request(folder, [40], two_stage=two_stage)
        result = staged_animator(_performing, _turned, settings, model).animate(request)
        widths.append(read_image(result.contact_sheet).shape[1])
    assert widths[1] * 4 == pytest.approx(widths[0] * 5, abs=32)


def test_two_stages_of_several_references_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="several were given"):
        _request(tmp_path, [40, 80], two_stage=True).check()


def test_the_command_line_asks_for_two_stages(tmp_path: Path) -> None:
    app = Typer()
    app.command()(animate)
    request = _request(tmp_path, [40, 80])
    words = [word for path in request.references for word in ("--reference", str(path))]
    words += ["--driving", str(request.driving), "-o", str(request.output), "--two-stage", "--view-yaw-deg", "30"]
    words += ["--guidance-interval", "0.2", "0.9", "--solver", "unipc"]
    error = CliRunner().invoke(app, words).exception
    assert isinstance(error, InputError)
    assert "several were given" in error.line()


def test_two_stages_need_a_model_that_takes_more_than_one(settings: Settings, tmp_path: Path) -> None:
    request = _request(tmp_path, [40], two_stage=True)
    with pytest.raises(SettingsError, match="nowhere to put"):
        _animated(request, settings, loaded_model(1))
    assert not request.output.exists()


@pytest.mark.parametrize(
    ("given", "most", "used"),
    [
        ([40, 80, 120], 3, [40, 80, 120]),
        ([40, 80, 120, 160, 200], 3, [40, 200, 120]),
        ([40, 80, 120, 160, 200], 2, [40, 200]),
        ([120, 80, 40, 160, 200], 2, [120, 200]),
        ([40, NOBODY, 160, 80], 2, [40, 80]),
    ],
)
def test_more_references_than_training_knew_leave_the_most_different(
    settings: Settings, tmp_path: Path, given: list[int], most: int, used: list[int]
) -> None:
    """The first always stays: it sets frame and pose. A note says which are used; it is no error."""
    for_shades = dict.fromkeys(given)
    sidecar, encoded = _animated(_request(tmp_path, list(for_shades)), settings, loaded_model(most))
    assert encoded == [len(used)]
    names = [item["name"] for item in sidecar["inputs"] if item["role"] == "reference"]
    assert names == [f"{shade}.png" for shade in used]
    assert len(sidecar["notes"]) == int(len(for_shades) > most)


def test_the_limit_may_be_set_by_hand(settings: Settings, tmp_path: Path) -> None:
    wider = settings.model_copy(update={"sampling": settings.sampling.model_copy(update={"max_references": 4})})
    _, encoded = _animated(_request(tmp_path, [40, 80, 120, 160]), wider, loaded_model(2))
    assert encoded == [4]
