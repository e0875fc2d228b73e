"""A tiny data set that the training and evaluation tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dreamactor_core.manifest import write_manifest
from dreamactor_core.motion_track import MotionTrack
from made_up_clips import FRAMES, write_clip
from swaying_person import person_track


@pytest.fixture(scope="session", autouse=True)
def _signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Videos of tests are signed by nobody's identity."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DREAMACTOR_PROVENANCE__OWN_DIR", str(tmp_path_factory.mktemp("identity")))
        yield


@pytest.fixture(scope="session")
def clip_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four training clips and one test clip of 64 x 64 pixels and 29 frames; returns the manifest."""
    folder = tmp_path_factory.mktemp("clips")
    rows = [write_clip(folder, f"train-{index}", "train", index, 40 + 50 * index) for index in range(4)]
    rows.append(write_clip(folder, "test-0", "test", 0.5, 120))
    manifest = folder / "manifest.parquet"
    write_manifest(manifest, rows)
    return manifest


@pytest.fixture
def person() -> MotionTrack:
    """29 frames of 64 x 64 pixels."""
    return person_track(FRAMES)
