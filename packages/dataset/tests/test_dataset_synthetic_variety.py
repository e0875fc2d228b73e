"""Synthetic people: how much they differ, and that no split sees what another one learned from."""

import colorsys
from itertools import combinations
from typing import get_args

import numpy as np
import pytest
from dreamactor_dataset.synthetic.figure.clothes.outfit import Pattern, Sleeves
from dreamactor_dataset.synthetic.figure.hair.cut import HairStyle, HairTexture
from dreamactor_dataset.synthetic.figure.identity import Identity, make_identity
from dreamactor_dataset.synthetic.figure.parts import refined, select, triangulate
from dreamactor_dataset.synthetic.motion.performance import Performance
from dreamactor_dataset.synthetic.motion.speaking import say
from dreamactor_dataset.synthetic.motion.turning import turn_round
from dreamactor_dataset.synthetic.motion.variation import vary
from dreamactor_dataset.synthetic.plan import plan_clips
from dreamactor_dataset.synthetic.render.background import make_background
from dreamactor_dataset.synthetic.speech.sentences import HELD_OUT, TRAINED, VALIDATED
from dreamactor_dataset.synthetic.speech.utterances import FPS
from dreamactor_signals.speech.recording import RATE_HZ


@pytest.fixture(scope="module")
def people() -> list[Identity]:
    return [make_identity(5, number) for number in range(300)]


def test_three_hundred_people_have_every_kind_of_hair_and_clothes(people: list[Identity]) -> None:
    assert {who.hair.style for who in people} == set(get_args(HairStyle))
    assert {who.hair.texture for who in people} == set(get_args(HairTexture))
    assert {who.clothes.sleeves for who in people} == set(get_args(Sleeves))
    worn = {cloth.pattern for who in people for cloth in (who.clothes.top, who.clothes.bottom, who.clothes.shoes)}
    assert worn == set(Pattern)
    for kind in ("jacket", "hat"):
        assert 5 < sum(getattr(who.clothes, kind) is not None for who in people) < 150, kind
    assert 20 < sum(who.glasses is not None for who in people) < 100
    assert {who.clothes.bottom == who.clothes.top for who in people} == {True, False}, "some wear dresses"


def test_tops_are_vivid_in_every_hue_and_also_grey_and_dark(people: list[Identity]) -> None:
    shades = np.array([colorsys.rgb_to_hsv(*(c ** (1 / 2.2) for c in who.clothes.top.colour)) for who in people])
    hue, saturation, value = shades.T
    vivid = (saturation > 0.6) & (value > 0.4)
    assert 0.1 < vivid.mean() < 0.5
    # Sixths of the circle: red, orange to yellow, green, ...
    assert set((6 * hue[vivid]).astype(int)) == set(range(6))
    assert (saturation < 0.15).mean() > 0.15
    assert (value < 0.35).mean() > 0.1


def test_caps_sit_on_flat_hair_only(people: list[Identity]) -> None:
    capped = {who.hair.style for who in people if who.clothes.hat is not None}
    assert not capped & {"afro", "bun", "ponytail"}


def test_no_sentence_is_spoken_in_two_splits() -> None:
    parts = [{text for texts in part.values() for text in texts} for part in (TRAINED, VALIDATED, HELD_OUT)]
    assert not any(first & second for first, second in combinations(parts, 2))
    assert list(TRAINED) == list(VALIDATED) == list(HELD_OUT)


def test_people_and_captured_motions_of_a_large_set_stay_in_their_split() -> None:
    plans = plan_clips(people=200, clips=1000, seed=0)
    for key in ("person", "captured"):
        owners: dict[object, set[str]] = {}
        for plan in plans:
            owners.setdefault(getattr(plan, key), set()).add(plan.split)
        owners.pop(None, None)
        assert all(len(splits) == 1 for splits in owners.values()), key
    for split in ("train", "val", "test"):
        assert {plan.framing for plan in plans if plan.split == split} == {"portrait", "half", "full"}
    assert any(plan.turns for plan in plans)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_lips_move_while_the_voice_is_loud(split: str) -> None:
    performance = Performance(50)
    say(performance, np.random.default_rng(3), split)  # type: ignore[arg-type]
    assert performance.voice is not None
    assert len(performance.voice) == round(50 * RATE_HZ / float(FPS))
    loud = performance.voice.reshape(50, -1).std(axis=1) > 0.03
    moved = np.abs(np.gradient(performance.units, axis=0)).sum(axis=1)
    assert 5 < loud.sum() < 50
    assert moved[loud].mean() > 0.05
    again = Performance(50)
    say(again, np.random.default_rng(3), split)  # type: ignore[arg-type]
    assert again.voice is not None
    assert np.array_equal(again.voice, performance.voice)


def test_a_turn_shows_every_side() -> None:
    performance = Performance(101)
    turn_round(performance, np.random.default_rng(1))
    facing = performance.of("root")[:, :, 2]
    yaw = np.unwrap(np.arctan2(facing[:, 0], facing[:, 2]))
    assert np.ptp(yaw) >= 2 * np.pi - 1e-6


def test_a_mirrored_capture_is_another_person_s_left_and_right() -> None:
    mirrored = []
    for seed in range(8):
        performance = Performance(1)
        performance.turn("left_shoulder", np.diag((1.0, -1.0, -1.0)))
        vary(performance, np.random.default_rng(seed))
        mirrored.append(not np.allclose(performance.of("right_shoulder"), np.eye(3)))
        assert np.allclose(np.linalg.det(performance.of("left_shoulder")), 1)
    assert True in mirrored
    assert False in mirrored


def test_refined_faces_wind_as_before_and_cover_the_same_place() -> None:
    blend, quads, _ = select(("helper-skirt",))
    fine_blend, fine_quads = refined(blend, quads)
    assert len(fine_quads) == 4 * len(quads)
    assert np.allclose(fine_blend.sum(axis=1), 1)
    from dreamactor_signals.body_models.makehuman.base_mesh import load_base_mesh

    template_dm = load_base_mesh().template_dm
    areas = [_areas(one @ template_dm, triangulate(faces)) for one, faces in ((blend, quads), (fine_blend, fine_quads))]
    coarse, fine = (area.sum(axis=0) for area in areas)
    assert np.linalg.norm(fine - coarse) < 0.1 * np.abs(areas[0]).sum(axis=0).max()
    assert np.abs(areas[1]).sum() == pytest.approx(np.abs(areas[0]).sum(), rel=0.1)


def _areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a) / 2


def test_backgrounds_differ_and_are_light() -> None:
    pictures = [make_background(np.random.default_rng(seed), 48, 64, floor=0.7) for seed in range(12)]
    assert all(picture.shape == (48, 64, 3) and picture.min() >= 0 for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == 12
