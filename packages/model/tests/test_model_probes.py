"""Probes on features whose content is known."""

from pathlib import Path

import numpy as np
import pytest
import torch
from dreamactor_dataset.face_set import FaceSet
from dreamactor_model.evaluation.face_probe import probe_faces
from dreamactor_model.evaluation.probes import neighbours_r2, retrieval, ridge_r2
from made_up_faces import write_made_up_faces


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_linear_target_is_read_and_noise_is_not(random: np.random.Generator) -> None:
    features = random.standard_normal((600, 20))
    linear, noise = features @ random.standard_normal((20, 1)), random.standard_normal((600, 1))
    half_noise = linear / linear.std() + noise
    targets = np.concatenate([linear, noise, half_noise, features[:, :1] ** 2, np.ones((600, 1))], axis=1)
    r2 = ridge_r2(features[:400], targets[:400], features[400:], targets[400:])
    assert r2[0] > 0.999
    assert -0.2 < r2[1] < 0.05
    assert r2[2] == pytest.approx(0.5, abs=0.12)
    assert r2[3] < 0.05
    assert np.isnan(r2[4])


def test_a_probe_fitted_on_other_data_is_worse_than_the_mean(random: np.random.Generator) -> None:
    features = random.standard_normal((300, 4))
    assert ridge_r2(features, features, features, -features).max() < -2


def test_scale_and_shift_of_features_do_not_matter(random: np.random.Generator) -> None:
    features, target = random.standard_normal((200, 3)), random.standard_normal((200, 1))
    other = features * (1e-3, 1, 1e3) + 7
    first = ridge_r2(features[:100], target[:100], features[100:], target[100:])
    assert first == pytest.approx(ridge_r2(other[:100], target[:100], other[100:], target[100:]), abs=1e-4)


def test_neighbours_read_what_no_linear_probe_can(random: np.random.Generator) -> None:
    features = random.uniform(-1, 1, (2000, 2))
    bent, noise = features[:, :1] ** 2, random.standard_normal((2000, 1))
    targets = np.concatenate([bent, noise], axis=1)
    split = features[:1500], targets[:1500], features[1500:], targets[1500:]
    assert ridge_r2(*split)[0] < 0.05
    r2 = neighbours_r2(*split)
    assert r2[0] > 0.9
    assert r2[1] < 0.05


def _looks(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """20 people with 10 expressions each."""
    return np.repeat(np.arange(20), 10), np.tile(np.arange(10), 20)


def test_people_are_found_by_features_of_who_they_are(random: np.random.Generator) -> None:
    people, expressions = _looks(random)
    who, what = random.standard_normal((20, 16))[people], random.standard_normal((10, 16))[expressions]
    noise = 0.01 * random.standard_normal((200, 16))
    top1, chance = retrieval(who + noise, people, expressions)
    assert top1 == 1
    assert chance == pytest.approx(9 / 180)
    # Equal expressions are no candidates: features of what is done must find no one more often than by chance.
    assert retrieval(what + noise, people, expressions)[0] < 3 * chance
    assert retrieval(noise, people, expressions)[0] < 3 * chance


def test_a_query_is_no_candidate_for_itself(random: np.random.Generator) -> None:
    top1, chance = retrieval(random.standard_normal((4, 3)), np.arange(4), np.arange(4))
    assert (top1, chance) == (0, 0)


def test_an_encoder_that_knows_expressions_is_told_from_one_that_knows_people(tmp_path: Path) -> None:
    folder = write_made_up_faces(tmp_path).parent
    sets = [FaceSet.load(folder, "train"), FaceSet.load(folder, "test")]

    def encoder(of: str) -> object:
        """Features made of the truth, in the order in which the probe asks for them."""
        tables = [
            faces.truth.units if of == "units" else np.eye(12)[faces.people + 8 * number]
            for number, faces in enumerate(sets)
        ]
        rows = iter(np.concatenate([np.pad(table, ((0, 0), (0, 52 - table.shape[1]))) for table in tables]))
        return lambda crops: torch.from_numpy(np.stack([next(rows) for _ in crops]))

    reads = probe_faces(encoder("units"), folder)
    knows = probe_faces(encoder("people"), folder)
    assert reads["expression_r2"] > knows["expression_r2"]
    assert knows["identity_top1"] == 1
    assert knows["identity_over_chance"] > reads["identity_over_chance"]
    assert len([name for name in reads if name.startswith("expression_r2_")]) == 51
    assert {"yaw_r2", "zoom_r2", "key_side_r2"} <= reads.keys()


def test_without_test_people_nothing_is_claimed(tmp_path: Path) -> None:
    listed = write_made_up_faces(tmp_path)
    listed.write_text(listed.read_text().replace('"test"', '"val"'))
    assert probe_faces(lambda crops: crops.flatten(1), tmp_path) == {}
