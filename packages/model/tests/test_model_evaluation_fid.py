"""FID's network on a file of its layout; and that nothing else is ever reported under that name."""

from pathlib import Path

import numpy as np
import pytest
import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file
from dreamactor_core.settings.evaluation import EvaluationSettings
from dreamactor_model.evaluation.metrics.sets.frechet import frechet_distance
from dreamactor_model.evaluation.metrics.sets.inception import Inception, inception_features
from inception_file import inception_tensors, write_inception


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("inception") / "inception.pth"
    return path, write_inception(path)


def test_features_are_those_of_an_independent_program(inception_file: tuple[Path, str]) -> None:
    """torch-fidelity 0.4.0 gave these features of the same file and the same picture."""
    frames = torch.from_numpy(np.random.default_rng(1).random((2, 3, 299, 299), dtype=np.float32))
    with torch.inference_mode():
        features = Inception.load(*inception_file)(frames)
    assert features.shape == (2, 2048)
    expected = [2.3729606, 2.3748887, 0.5059593, 0.1114129]
    assert features[0, :4].tolist() == pytest.approx(expected, abs=1e-4)
    assert float(features.mean()) == pytest.approx(1.2624460, abs=1e-4)


def test_frames_have_a_distance_in_these_features(inception_file: tuple[Path, str]) -> None:
    path, sha256 = inception_file
    settings = EvaluationSettings(inception_path=path, inception_sha256=sha256)
    frames = np.random.default_rng(0).integers(0, 256, (3, 40, 56, 3), dtype=np.uint8)
    truth, dark = inception_features(frames, settings), inception_features(frames // 4, settings)
    assert truth.shape == (3, 2048)
    assert frechet_distance(truth, truth) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(dark, truth) > 0.1


def test_without_the_file_there_is_no_fid(tmp_path: Path) -> None:
    frames = np.zeros((2, 16, 16, 3), np.uint8)
    with pytest.raises(WeightsError, match="DREAMACTOR_EVALUATION__INCEPTION_PATH"):
        inception_features(frames, EvaluationSettings())
    with pytest.raises(WeightsError, match="there is no Inception file"):
        inception_features(frames, EvaluationSettings(inception_path=tmp_path / "none.pth"))


def test_another_file_is_refused(inception_file: tuple[Path, str]) -> None:
    with pytest.raises(WeightsError, match="is not the Inception file of FID"):
        inception_features(np.zeros((2, 16, 16, 3), np.uint8), EvaluationSettings(inception_path=inception_file[0]))


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    tensors = {name: tensor for name, tensor in inception_tensors().items() if not name.startswith("Mixed_7c")}
    torch.save(tensors, path)
    with pytest.raises(WeightsError, match=r"holds no tensor .*Mixed_7c"):
        Inception.load(path, sha256_file(path))
