"""The MobileNet by what it recognises, memory of features, and intervals of distances of sets."""

import numpy as np
import pytest
import torch
from dreamactor_core.settings import load_settings
from dreamactor_model.evaluation.confidence import bootstrap_set
from dreamactor_model.evaluation.metrics.metric import distance_to_truth
from dreamactor_model.evaluation.metrics.sets.frechet import frechet_distance
from dreamactor_model.evaluation.metrics.sets.mobilenet import mobilenet_features, read_weights
from dreamactor_model.evaluation.remembered import Remembered
from dreamactor_model.evaluation.unavailable import Unavailable
from evaluation_cases import made_case, observed
from skimage import data

_CATS = range(281, 286)


def test_the_mobilenet_knows_a_cat() -> None:
    """Its own classifier, which is no part of the distance, reads the features."""
    tensors = read_weights()
    features = torch.from_numpy(mobilenet_features(data.chelsea()[None])).float()
    assert features.shape == (1, 1280)
    scores = (features @ tensors["classifier.1.weight"].T + tensors["classifier.1.bias"]).softmax(dim=1)
    assert int(scores.argmax()) in _CATS
    assert float(scores.max()) > 0.4


def test_the_mobilenet_distance_grows_with_noise() -> None:
    truth = np.stack([data.chelsea()[: 200 + 10 * row, :250][-200:] for row in range(6)])
    noise = np.random.default_rng(0).normal(size=truth.shape)
    features = mobilenet_features(truth)
    distances = [
        frechet_distance(mobilenet_features(np.clip(truth + strength * noise, 0, 255).astype(np.uint8)), features)
        for strength in (10, 40)
    ]
    assert 0.5 < distances[0] < distances[1]


def test_no_network_is_asked_twice_about_the_same_frames() -> None:
    asked: list[float] = []

    def features(frames: np.ndarray) -> np.ndarray:
        asked.append(frames.mean())
        return frames.reshape(len(frames), -1).astype(float)

    look_up = Remembered(features, most=2)
    first, second, third = (np.full((2, 4, 4, 3), value, np.uint8) for value in (1, 2, 3))
    for frames in (first, first.copy(), second, first, third, first, second):
        assert np.array_equal(look_up(frames), frames.reshape(2, -1))
    assert asked == [1, 2, 3, 2], "the one not asked for longest is forgotten"
    assert len(look_up(first.reshape(4, 2, 4, 3))) == 4, "the same bytes of another shape are another clip"


def test_the_interval_of_a_set_narrows_with_more_clips() -> None:
    random = np.random.default_rng(0)

    def interval(clips: int) -> tuple[float, float, float]:
        truth = random.normal(size=(clips, 6, 4))
        made = random.normal(size=(clips, 1, 4)) + random.normal(1, 1, (clips, 6, 4))

        def distance(picks: np.ndarray) -> float:
            return frechet_distance(made[picks].reshape(-1, 4), truth[picks].reshape(-1, 4))

        return bootstrap_set(distance, clips, resamples=200, seed=0)

    few, many = interval(8), interval(128)
    for value, low, high in (few, many):
        assert 0 <= low < value < high
    assert few[2] - few[1] > 2 * (many[2] - many[1])
    # Means one apart in each of four features, and twice the variance: 4 + 4 (sqrt 2 - 1)^2.
    assert many[1] < 4 + 4 * (np.sqrt(2) - 1) ** 2 < many[2]


def _colours(frames: np.ndarray, _: object) -> np.ndarray:
    return frames.mean(axis=(1, 2)).astype(float)


def test_clips_are_pooled_and_too_few_samples_are_refused() -> None:
    random = np.random.default_rng(0)
    clips = [random.integers(0, 256, (5, 16, 16, 3), dtype=np.uint8) for _ in range(9)]
    cases = [observed(made_case(clip // 2, truth=clip)) for clip in clips]
    figure = distance_to_truth(_colours, width=3)(cases, load_settings())
    pooled = [np.concatenate([_colours(clip, None) for clip in each]) for each in ([c // 2 for c in clips], clips)]
    assert figure.value == pytest.approx(frechet_distance(*pooled))
    assert (figure.n, figure.samples) == (9, 45)
    assert figure.low < figure.value < figure.high
    narrow = distance_to_truth(_colours, width=46)
    with pytest.raises(Unavailable, match="45 samples for features of 46 numbers"):
        narrow(cases, load_settings({"evaluation.few_samples": "false"}))
    few = narrow(cases[:3], load_settings({"evaluation.few_samples": "true"}))
    assert few.low == few.value == few.high
    assert few.n == 3


def test_clips_without_a_truth_have_no_distance_to_it() -> None:
    frames = np.zeros((4, 16, 16, 3), np.uint8)
    with pytest.raises(Unavailable, match="no clip has a truth"):
        distance_to_truth(_colours, width=3)([observed(made_case(frames))], load_settings())
