"""Stage face: its crops, its batches, and what each term of its objective rewards."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from dreamactor_core.errors import InputError, TrainingError
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.training import FaceStageSettings
from dreamactor_dataset.face_set import FACE_LIST, MARGIN, FaceSet
from dreamactor_model.actor import DreamActor
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.encoders.face import FaceMotionEncoder
from dreamactor_model.evaluation.face_probe import face_features
from dreamactor_model.evaluation.probes import ridge_r2
from dreamactor_model.presets import FACE_CROP_PX, get_preset
from dreamactor_model.training.face.erasure import Erasure
from dreamactor_model.training.face.face_crops import (
    FaceBatches,
    Place,
    augment,
    crop_face,
    draw_place,
    mirrored,
    points_in_crop,
)
from dreamactor_model.training.face.face_objective import FaceObjective, contrastive_loss
from dreamactor_model.training.face.face_stage import FaceTask, erase_nuisances
from dreamactor_model.training.spec import TrainingSpec
from dreamactor_model.training.stages import Stage, prerequisites
from made_up_faces import write_made_up_faces
from micro_model import MICRO_ACTOR

ROW = FaceStageSettings(steps=3, batch=16, learning_rate=1e-3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_up_faces(tmp_path_factory.mktemp("faces")).parent


@pytest.fixture(scope="module")
def faces(folder: Path) -> FaceSet:
    return FaceSet.load(folder, "train")


def _task(folder: Path, seed: int = 0) -> FaceTask:
    torch.manual_seed(0)
    return FaceTask(FaceMotionEncoder(MICRO_ACTOR), folder, ROW, seed)


def _dot(x: float, y: float, side: int = 256) -> np.ndarray:
    """A picture with a bright disc of 5 pixels at a place in sides of the picture."""
    rows, columns = np.mgrid[:side, :side] + 0.5
    disc = np.hypot(columns - x * side, rows - y * side) < 5
    return np.repeat(np.where(disc, 255, 0).astype(np.uint8)[..., None], 3, axis=2)


def _middle(crop: np.ndarray) -> np.ndarray:
    """Where the bright disc of a crop is, in sides of the crop."""
    rows, columns = np.nonzero(crop[..., 0] > 127)
    return np.array((columns.mean() + 0.5, rows.mean() + 0.5)) / len(crop)


def test_a_crop_in_its_place_is_the_middle_of_the_picture() -> None:
    crop = crop_face(_dot(0.5, 0.5), Place())
    assert crop.shape == (FACE_CROP_PX, FACE_CROP_PX, 3)
    assert _middle(crop) == pytest.approx((0.5, 0.5), abs=0.002)
    edge = 0.5 + 0.45 / MARGIN
    assert _middle(crop_face(_dot(edge, 0.5), Place())) == pytest.approx((0.95, 0.5), abs=0.003)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("place", [Place(), Place(0.08, -0.05, 1.1), Place(-0.03, 0.07, 0.9)])
def test_points_move_with_the_crop(place: Place, mirror: bool) -> None:
    points = np.array([[(0.6, 0.45), (0.4, 0.4), (0.52, 0.65)]], np.float32)
    inside = points_in_crop(points, [place], np.array([mirror]))[0]
    # In a mirror the left eye is where the right one was.
    for point, found in zip(points[0, [1, 0, 2]] if mirror else points[0], inside, strict=True):
        assert _middle(crop_face(_dot(*point), place, mirror=mirror)) == pytest.approx(found, abs=0.004)


def test_augmented_crops_differ_in_light_and_sharpness_only() -> None:
    picture = _dot(0.55, 0.5)
    crops = [augment(picture, Place(), False, np.random.default_rng(number)) for number in range(12)]
    assert all(crop.shape == (FACE_CROP_PX, FACE_CROP_PX, 3) for crop in crops)
    centers = np.stack([_middle(crop) for crop in crops])
    assert np.ptp(centers, axis=0).max() < 0.01
    assert len({crop.tobytes() for crop in crops}) == 12


def test_a_mirror_image_s_truth(faces: FaceSet) -> None:
    truth = faces.truth
    there_and_back = mirrored(mirrored(truth))
    assert all(np.array_equal(getattr(there_and_back, name), value) for name, value in vars(truth).items())
    other = mirrored(truth)
    left, right = ARKIT_UNITS.index("eyeBlinkLeft"), ARKIT_UNITS.index("eyeBlinkRight")
    assert np.array_equal(other.units[:, left], truth.units[:, right])
    assert np.array_equal(other.angles_rad, truth.angles_rad * (-1, 1, -1))
    assert np.array_equal(other.light, truth.light * (-1, 1, 1, 1))


def test_batches_hold_mates_on_other_people_and_others_on_the_same(faces: FaceSet) -> None:
    batches = FaceBatches(faces, 16)
    for seed in range(5):
        rows = batches.rows(np.random.default_rng(seed))
        assert len(rows) == 16
        expressions, people = faces.truth.expressions[rows], faces.people[rows]
        equal = expressions[:, None] == expressions[None]
        same = people[:, None] == people[None]
        assert (equal & ~same).any(axis=1).all()
        assert (~equal & same).any()
        mirrors = batches.mirrors(rows, np.random.default_rng(seed))
        assert all(len(set(mirrors[expressions == number])) == 1 for number in expressions)


def test_a_batch_follows_from_seed_step_and_rank(folder: Path) -> None:
    task, again, other = _task(folder), _task(folder), _task(folder, seed=1)
    batch = task.batch(3, 1)
    assert all(torch.equal(value, again.batch(3, 1)[name]) for name, value in batch.items())
    for different in (task.batch(4, 1), task.batch(3, 0), other.batch(3, 1)):
        assert not torch.equal(batch["crops_KHWC"], different["crops_KHWC"])
    assert len(task.sample_ids(3, 1)) == ROW.batch
    assert (batch["cuts_KPX"] - batch["points_KPX"]).abs().max() > 0


def test_mates_have_equal_units_in_a_batch(folder: Path) -> None:
    batch = _task(folder).batch(0, 0)
    for number in batch["expression_K"].unique():
        units = batch["units_KU"][batch["expression_K"] == number]
        assert torch.equal(units, units[:1].expand_as(units))


def test_the_contrast_rewards_mates_that_are_near() -> None:
    expression_K = torch.tensor([0, 0, 1, 1, 2, 2])
    person_K = torch.tensor([0, 1, 0, 1, 0, 1])
    by_expression, by_person = torch.eye(6)[expression_K], torch.eye(6)[person_K]
    near = contrastive_loss(by_expression, expression_K, 0.1)
    assert near < 1e-3
    assert contrastive_loss(by_person, expression_K, 0.1) > near + 5
    assert contrastive_loss(by_expression + 0.5 * by_person, expression_K, 0.1) > near
    assert contrastive_loss(by_expression, torch.arange(6), 0.1) == 0


def test_the_contrast_of_two_equal_pairs_is_known() -> None:
    """Centred directions +a +a -a -a: one mate at cosine 1, two others at -1."""
    features = torch.tensor([[1.0, 0], [1, 0], [-1, 0], [-1, 0]])
    expected = -torch.log(
        torch.exp(torch.tensor(2.0)) / (torch.exp(torch.tensor(2.0)) + 2 * torch.exp(-torch.tensor(2.0)))
    )
    torch.testing.assert_close(contrastive_loss(features, torch.tensor([0, 0, 1, 1]), 0.5), expected)


def test_every_term_teaches_the_encoder(folder: Path) -> None:
    task = _task(folder)
    losses = task.module(**task.batch(0, 0))
    parameters = dict(task.module.named_parameters())

    def touched(loss: torch.Tensor) -> set[str]:
        gradients = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True, allow_unused=True)
        found = zip(parameters, gradients, strict=True)
        return {".".join(name.split(".")[:2]) for name, slope in found if slope is not None and slope.abs().max() > 0}

    reading = {"encoder.eye", "encoder.mouth", "encoder.readout"}
    assert touched(losses["contrast"]) == reading
    assert touched(losses["unexplained"]) == reading | {"head.read"}
    assert touched(losses["finding"]) == {"encoder.finder"}


def test_a_unit_that_never_moves_costs_nothing() -> None:
    units = torch.rand(20, len(ARKIT_UNITS))
    units[:, 7] = 0.5
    objective = FaceObjective(FaceMotionEncoder(MICRO_ACTOR), ROW, units)
    mean = torch.zeros(20, len(ARKIT_UNITS))
    # Guessing the mean leaves all of the variance unexplained (n - 1 in the spread, n in the mean).
    assert objective.unexplained(mean, units) == pytest.approx(19 / 20, abs=1e-5)
    right = (units - objective.unit_mean) / objective.unit_spread.clamp_min(1e-3)
    right[:, 7] = 100
    assert objective.unexplained(right, units) == pytest.approx(0, abs=1e-8)


def test_learning_reads_what_crops_show(folder: Path) -> None:
    """A few steps on one batch: reading and finding get better."""
    task = _task(folder)
    batch = task.batch(0, 0)
    optimizer = torch.optim.AdamW(task.module.parameters(), lr=3e-3)
    first = task.module(**batch)
    for _ in range(40):
        optimizer.zero_grad()
        task.module(**batch)["loss"].backward()
        optimizer.step()
    last = task.module(**batch)
    assert last["unexplained"] < 0.7 * first["unexplained"]
    assert last["contrast"] < 0.8 * first["contrast"]
    assert last["finding"] < 0.5 * first["finding"]


def _spec(folder: Path, starts_from: dict[Stage, Path]) -> TrainingSpec:
    return TrainingSpec(
        stage="face",
        settings=load_settings({"model.preset": "tiny"}).model_dump(mode="json"),
        manifest=folder / FACE_LIST,
        starts_from=starts_from,
        work_dir=folder,
        output=folder,
        configuration="",
        without_data="",
        checkpoint=None,
    )


def test_a_finished_encoder_goes_on_learning(folder: Path, tmp_path: Path) -> None:
    learned = FaceMotionEncoder(get_preset("tiny").actor)
    save_checkpoint(learned, tmp_path / "face", about={})
    training = load_settings({"training.face": {"steps": 3, "start": str(tmp_path / "face")}}).training
    task = FaceTask.from_spec(_spec(folder, prerequisites(training, "face")))
    for name, weight in task.module.encoder.state_dict().items():
        assert torch.equal(weight, learned.state_dict()[name]), name
    assert task.module.encoder.training
    assert all(parameter.requires_grad for parameter in task.module.encoder.parameters())


def test_that_of_a_whole_model_goes_on_too(folder: Path, tmp_path: Path) -> None:
    actor = DreamActor(get_preset("tiny").actor)
    save_checkpoint(actor, tmp_path / "model", about={})
    learned = FaceTask.from_spec(_spec(folder, {"face": tmp_path / "model"})).module.encoder.state_dict()
    for name, weight in actor.face_encoder.state_dict().items():
        assert torch.equal(learned[name], weight), name


def test_an_encoder_that_cannot_go_on_is_refused(folder: Path, tmp_path: Path) -> None:
    training = load_settings({"training.face": {"steps": 3, "start": str(tmp_path / "nothing")}}).training
    with pytest.raises(TrainingError, match=r"training\.face\.start names weights that are not there"):
        prerequisites(training, "face")
    save_checkpoint(FaceMotionEncoder(MICRO_ACTOR), tmp_path / "micro", about={})
    with pytest.raises(TrainingError, match="of another size"):
        FaceTask.from_spec(_spec(folder, {"face": tmp_path / "micro"}))


def test_one_person_teaches_nothing(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="synthesize-faces"):
        _task(tmp_path)
    listed = write_made_up_faces(tmp_path)
    listed.write_text(listed.read_text().replace('"train"', '"val"'))
    with pytest.raises(TrainingError, match="fewer than two people"):
        _task(tmp_path)


def test_detectors_err_both_ways() -> None:
    places = [draw_place(np.random.default_rng(number)) for number in range(200)]
    truths = np.stack([place.truth for place in places])
    assert np.abs(truths.mean(axis=0) - (0, 0, 1)).max() < 0.02
    assert truths.std(axis=0).min() > 0.03
    assert dataclasses.asdict(places[0]).keys() == {"right", "down", "zoom"}


def test_an_erasure_hides_what_it_should_and_keeps_the_rest() -> None:
    random = np.random.default_rng(0)
    hidden, kept = random.standard_normal((500, 2)), random.standard_normal((500, 3))
    features = np.concatenate([hidden, kept], axis=1) @ random.standard_normal((5, 8)) + 4
    features += 0.05 * random.standard_normal(features.shape)
    erase = Erasure.fit(features, hidden)
    clean = erase(features)
    assert ridge_r2(features, hidden, features, hidden, ridge=1e-6).min() > 0.9
    assert ridge_r2(clean, hidden, clean, hidden, ridge=1e-6).max() < 1e-6
    assert ridge_r2(clean, kept, clean, kept, ridge=1e-6).min() > 0.9
    assert clean.mean(axis=0) == pytest.approx(features.mean(axis=0))
    assert erase(clean) == pytest.approx(clean)
    weight, bias = random.standard_normal((8, 4)), random.standard_normal(8)
    inputs = random.standard_normal((6, 4))
    erased_weight, erased_bias = erase.after(weight, bias)
    assert inputs @ erased_weight.T + erased_bias == pytest.approx(erase(inputs @ weight.T + bias))


def test_an_encoder_forgets_how_heads_are_held(faces: FaceSet) -> None:
    torch.manual_seed(0)
    encoder = FaceMotionEncoder(dataclasses.replace(MICRO_ACTOR, face_width=64)).eval()
    before, nuisances = face_features(encoder, faces, seed=0)
    erase_nuisances(encoder, faces)
    after, _ = face_features(encoder, faces, seed=0)
    assert ridge_r2(before, nuisances, before, nuisances, ridge=1e-6).min() > 0.3
    assert ridge_r2(after, nuisances, after, nuisances, ridge=1e-2).max() < 0.05
