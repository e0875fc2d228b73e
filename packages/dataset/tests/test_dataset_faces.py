"""Synthetic faces: who shows what, what a close-up looks like, and the set on disk."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.face_units import ARKIT_UNITS, mirrored_units
from dreamactor_core.settings.dataset import FacesSettings
from dreamactor_dataset.face_set import FACE_LIST, FaceSet, read_face_list
from dreamactor_dataset.synthetic.faces import synthesize as module
from dreamactor_dataset.synthetic.faces.close_up import Pose, Sitter
from dreamactor_dataset.synthetic.faces.expressions import draw_expression
from dreamactor_dataset.synthetic.faces.plan import SHOWN_BY, plan_faces
from dreamactor_dataset.synthetic.faces.synthesize import synthesize_faces
from dreamactor_dataset.synthetic.faces.visibility import unit_changes, visible_units
from dreamactor_dataset.synthetic.figure.figure import Figure, build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity

SETTINGS = FacesSettings(people=4, images=4, size=64, seed=3, processes=1)
SIZE_PX = 64


def unit(name: str) -> int:
    return ARKIT_UNITS.index(name)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    synthesize_faces(folder, SETTINGS)
    return folder


@pytest.fixture(scope="module")
def figure() -> Figure:
    return build_figure(make_identity(3, 0))


@pytest.fixture(scope="module")
def sitter(figure: Figure) -> Sitter:
    return Sitter(figure, SIZE_PX, margin=1.0)


def test_people_and_expressions_are_in_one_split_only() -> None:
    plans = plan_faces(people=24, images=8, seed=0)
    assert plans == plan_faces(people=24, images=8, seed=0)
    assert plans != plan_faces(people=24, images=8, seed=1)
    for attribute in ("person", "expression"):
        splits: dict[int, set[str]] = {}
        for plan in plans:
            splits.setdefault(getattr(plan, attribute), set()).add(plan.split)
        assert {len(found) for found in splits.values()} == {1}
    assert {plan.split for plan in plans} == {"train", "val", "test"}


def test_every_expression_is_on_several_people_and_neighbours_share_most_of_them() -> None:
    plans = [plan for plan in plan_faces(people=24, images=8, seed=0) if plan.split == "train"]
    people: dict[int, list[int]] = {}
    for plan in plans:
        people.setdefault(plan.expression, []).append(plan.person)
    assert all(len(set(shown_by)) == len(shown_by) == SHOWN_BY for shown_by in people.values())
    shared = [len(set(people[first]) & set(people[second])) for first, second in pairwise(sorted(people))]
    assert np.median(shared) == SHOWN_BY - 1
    counts = np.unique([plan.person for plan in plans], return_counts=True)[1]
    assert set(counts) == {8}


def test_every_muscle_moves_but_not_against_another() -> None:
    drawn = np.stack([draw_expression(np.random.default_rng([0, number])) for number in range(1000)])
    assert np.array_equal(drawn[5], draw_expression(np.random.default_rng([0, 5])))
    assert drawn.min() == 0
    assert drawn.max() <= 1
    moved = (drawn > 0.05).mean(axis=0)
    assert moved[unit("_neutral")] == 0
    assert (np.delete(moved, unit("_neutral")) > 0.02).all()
    for one, other in (
        ("mouthSmileLeft", "mouthFrownLeft"),
        ("eyeWideLeft", "eyeBlinkLeft"),
        ("jawLeft", "jawRight"),
        ("eyeLookInLeft", "eyeLookOutLeft"),
    ):
        assert not ((drawn[:, unit(one)] > 0) & (drawn[:, unit(other)] > 0)).any()


def test_muscles_of_a_feeling_pull_together_and_eyes_and_lids_go_with_the_gaze() -> None:
    drawn = np.stack([draw_expression(np.random.default_rng([1, number])) for number in range(1000)])

    def together(one: str, other: str) -> float:
        return float(np.corrcoef(drawn[:, unit(one)], drawn[:, unit(other)])[0, 1])

    assert together("mouthSmileLeft", "cheekSquintLeft") > 0.4
    assert together("mouthSmileLeft", "mouthSmileRight") > 0.7
    assert together("browOuterUpLeft", "browInnerUp") > 0.3
    assert together("eyeLookDownLeft", "eyeBlinkLeft") > 0.1
    assert together("browDownLeft", "browOuterUpLeft") < 0
    assert np.array_equal(drawn[:, unit("eyeLookOutLeft")], drawn[:, unit("eyeLookInRight")])


def test_what_pulls_against_each_other_is_never_seen_together() -> None:
    random = np.random.default_rng(5)
    units = np.array([draw_expression(random) for _ in range(2000)])
    pucker = units[:, unit("mouthPucker")] > 0
    assert pucker.sum() > 50
    for side in ("Left", "Right"):
        assert not (units[pucker, unit(f"mouthStretch{side}")] > 0).any()
        assert not (units[pucker, unit(f"mouthSmile{side}")] > 0).any()
        assert not ((units[:, unit(f"eyeWide{side}")] > 0) & (units[:, unit(f"eyeBlink{side}")] > 0)).any()


def test_a_mirror_swaps_sides() -> None:
    swap = np.array(mirrored_units())
    assert swap[unit("eyeBlinkLeft")] == unit("eyeBlinkRight")
    assert swap[unit("jawLeft")] == unit("jawRight")
    assert swap[unit("jawOpen")] == unit("jawOpen")
    assert np.array_equal(swap[swap], np.arange(len(ARKIT_UNITS)))


def _shoot(sitter: Sitter, pose: Pose, *names: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    units = np.zeros((1, len(ARKIT_UNITS)), np.float32)
    units[0, [unit(name) for name in names]] = 1
    (shot,) = sitter.photograph([pose], units, [np.random.default_rng(0)])
    return shot.image.astype(int), shot.angles_rad, shot.points


def test_a_close_up_holds_the_head_as_it_is_told(sitter: Sitter) -> None:
    for yaw_rad in (-0.9, 0.0, 0.9):
        image, angles_rad, points = _shoot(sitter, Pose(yaw_rad, 0.1, 0.2, neck_share=0.4, distance_m=1.0))
        assert image.shape == (SIZE_PX, SIZE_PX, 3)
        # The neck's joints lie before one another: what they share is not quite what they make together.
        assert angles_rad[0] == pytest.approx(yaw_rad, abs=0.12)
        left, right, mouth = points
        assert left[0] > right[0]
        assert mouth[1] > max(left[1], right[1])
        assert ((points > 0.1) & (points < 0.9)).all()


def test_a_jaw_that_drops_changes_the_picture_but_not_its_window(sitter: Sitter) -> None:
    pose = Pose(0.0, 0.0, 0.0, neck_share=0.5, distance_m=1.5)
    shut, _, points_shut = _shoot(sitter, pose)
    open_, _, points_open = _shoot(sitter, pose, "jawOpen")
    assert np.array_equal(points_shut, points_open)
    changed = np.abs(open_ - shut).mean(axis=2)
    eyes = round(points_shut[0, 1] * SIZE_PX)
    assert changed[: eyes + 2].mean() < 0.1 * changed[eyes + 2 :].mean()


def test_what_cannot_be_seen_is_told_from_what_can(figure: Figure) -> None:
    changes = unit_changes([figure])
    assert changes["_neutral"] == 0
    assert changes["jawOpen"] > changes["eyeLookUpLeft"] > 0
    assert changes["eyeBlinkLeft"] == pytest.approx(changes["eyeBlinkRight"], rel=0.4)
    assert "_neutral" not in visible_units(changes)
    assert "jawOpen" in visible_units(changes)


def test_a_set_has_equal_units_for_equal_expressions(made: Path) -> None:
    faces = FaceSet.load(made, "train")
    assert len(set(faces.people)) == 2
    assert len(faces) == 8
    assert (np.diff(faces.truth.expressions) >= 0).all()
    for expression in np.unique(faces.truth.expressions):
        rows = faces.truth.expressions == expression
        assert len(set(faces.people[rows])) == 2
        assert (faces.truth.units[rows] == faces.truth.units[rows][0]).all()
    assert faces.picture(0).shape == (SIZE_PX, SIZE_PX, 3)
    assert faces.visible.sum() > 40
    others = [FaceSet.load(made, split) for split in ("val", "test")]
    shown = {int(expression) for other in others for expression in other.truth.expressions}
    assert not shown & set(faces.truth.expressions.tolist())


def test_a_rerun_makes_only_what_is_missing_and_makes_it_equal(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    rendered: list[int] = []
    make = module.Sitter.photograph
    monkeypatch.setattr(
        module.Sitter, "photograph", lambda self, *rest: (rendered.append(len(rest[0])), make(self, *rest))[1]
    )
    monkeypatch.setattr(module, "unit_changes", lambda figures: read_changes)
    read_changes = read_face_list(made)["about"]["unit_changes"]
    synthesize_faces(made, SETTINGS)
    assert rendered == []
    damaged = sorted(made.glob("person-*"))[1]
    damaged.write_bytes(damaged.read_bytes()[:200])
    (made / "person-0099-0000.safetensors").write_bytes(b"of another set")
    synthesize_faces(made, SETTINGS)
    assert len(rendered) == 1
    assert {path.name: path.read_bytes() for path in made.iterdir()} == before


def test_what_is_not_a_whole_set_is_refused(made: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="synthesize-faces"):
        FaceSet.load(tmp_path, "train")
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    first, second = sorted(tmp_path.glob("person-*"))[:2]
    first.write_bytes(second.read_bytes())
    with pytest.raises(InputError, match="sha256 differs"):
        FaceSet.load(tmp_path, "train")
    (tmp_path / FACE_LIST).write_text("{}")
    with pytest.raises(InputError, match="format None"):
        FaceSet.load(tmp_path, "train")
