"""A whole evaluation with the smallest model: what is written, what is explained, what another run repeats."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.tracking import client
from dreamactor_core.video import probe
from dreamactor_dataset.balance.evaluation_list import freeze, read_frozen
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.evaluation.case import Case
from dreamactor_model.evaluation.confidence import Figure
from dreamactor_model.evaluation.evaluate import evaluate_checkpoint
from dreamactor_model.evaluation.measuring import METRICS, describe
from dreamactor_model.evaluation.outcome import Outcome
from dreamactor_model.evaluation.report.content import ordering_sentence, sections
from dreamactor_model.evaluation.report.paper import TABLES
from dreamactor_model.evaluation.report.text import as_markdown
from dreamactor_model.evaluation.suites.table import SUITES
from dreamactor_model.registry import register_checkpoint
from dreamactor_model.training.finished import save_finished
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_ACTOR, MICRO_VAE, awake_actor

NO_FID = "the Inception file is not there: set evaluation.inception"


def _measure(cases: Sequence[Case], _: Settings) -> tuple[dict[str, Figure], dict[str, str]]:
    """Cheap stand-ins that still depend on every pixel."""
    error = float(np.mean([np.abs(case.result_THWC.astype(int) - case.truth_THWC).mean() for case in cases]))
    values = {"psnr_db": 40 - error, "ssim": 1 - error / 100, "lpips": error / 50, "pose_error": error / 10}
    own = {case.clip_id: float(index) for index, case in enumerate(cases)}
    figures = {name: Figure(v, v - 0.5, v + 0.5, len(cases), by_clip=own) for name, v in values.items()}
    return figures | {"fvd": Figure(1.0, 0.5, 1.5, len(cases), samples=32)}, {"fid": NO_FID}


@pytest.fixture
def settings(tmp_path: Path, clip_manifest: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dreamactor_model.evaluation.evaluate.measure", _measure)
    torch.manual_seed(0)
    save_checkpoint(VideoVAE(MICRO_VAE), tmp_path / "vae", about={})
    save_finished(awake_actor(MICRO_ACTOR), tmp_path / "vae", tmp_path / "models" / "refiner", about={"preset": "tiny"})
    freeze(clip_manifest, tmp_path / "frozen.json")
    return load_settings(
        {
            "dataset.sampling.area": 64 * 64,
            "evaluation.frames": 9,
            "evaluation.steps": 1,
            "evaluation.frozen_list": str(tmp_path / "frozen.json"),
            "sampling.segment_frames": 9,
            "training.models_dir": str(tmp_path / "models"),
            "tracking.uri": f"sqlite:///{tmp_path}/mlflow.db",
            "tracking.artifacts": str(tmp_path / "artifacts"),
        }
    )


def test_a_suite_is_reported_whole_and_its_figures_are_the_versions(settings: Settings, clip_manifest: Path) -> None:
    path = evaluate_checkpoint(settings, clip_manifest)
    report, metrics = path.parent, json.loads(path.read_text())
    assert report == Path("reports/evaluation/held-out")
    assert list(metrics["variants"]) == ["copy_reference", "model", "warp"]
    assert set(metrics["variants"]["model"]["psnr_db"]) == {"value", "low", "high", "n"}
    assert metrics["unavailable"] == {"fid": NO_FID}
    clips = json.loads((report / "clips.json").read_text())
    assert clips["warp"]["psnr_db"] == {"test-0": 0.0}
    assert "fvd" in metrics["variants"]["warp"]
    assert "fvd" not in clips["warp"]
    assert set(metrics["ordering"]["errors"]) == {"copy_reference", "warp", "model"}

    protocol = json.loads((report / "protocol.json").read_text())
    assert protocol["frozen_list_sha256"] == read_frozen(Path("frozen.json")).sha256
    assert set(protocol["sources"]["test-0"]) == {"video", "track"}

    page = (report / "report.html").read_text()
    for source in re.findall(r'(?:src|href|poster)="([^"]+)"', page):
        assert (report / source).is_file(), source
    video = probe(report / "clips" / "test-0.mp4")
    assert (video.width, video.height, video.frame_count) == (5 * 64 + 4 * 4, 64 + 18, 9)

    version = register_checkpoint(settings)
    tags = client(settings.tracking).get_model_version("dreamactor", version.version).tags
    assert float(tags["metric.psnr_db"]) == metrics["variants"]["model"]["psnr_db"]["value"]


@pytest.fixture
def _unrecorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow takes seconds to make its tables."""
    monkeypatch.setattr("dreamactor_model.evaluation.evaluate._record", lambda *_: None)


@pytest.mark.usefixtures("_unrecorded")
def test_another_run_writes_the_same_bytes(settings: Settings, clip_manifest: Path) -> None:
    folder = evaluate_checkpoint(settings, clip_manifest).parent
    first = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    evaluate_checkpoint(settings, clip_manifest)
    assert {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == first


@pytest.mark.usefixtures("_unrecorded")
def test_a_killed_run_goes_on_with_the_videos_it_had(
    settings: Settings, clip_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dreamactor_model.evaluation.kept.git_commit", lambda: "a" * 40)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("dreamactor_model.evaluation.evaluate.measure", killed)
        with pytest.raises(KeyboardInterrupt):
            evaluate_checkpoint(settings, clip_manifest)
    kept = list(Path("runs/evaluation").rglob("*.npy"))
    assert {path.parent.parent.name for path in kept} | {path.parent.name for path in kept} >= {"warp", "model"}
    with monkeypatch.context() as patch:
        patch.setattr("dreamactor_model.evaluation.contender.ModelContender.animate", killed)
        assert evaluate_checkpoint(settings, clip_manifest).is_file()
    assert not list(Path("runs/evaluation").rglob("*.npy"))


@pytest.mark.usefixtures("_unrecorded")
def test_ablations_without_their_weights_are_explained_and_nothing_takes_their_place(
    settings: Settings, clip_manifest: Path
) -> None:
    controls = settings.evaluation.model_copy(update={"suite": "controls"})
    path = evaluate_checkpoint(settings.model_copy(update={"evaluation": controls}), clip_manifest)
    metrics = json.loads(path.read_text())
    assert set(metrics["variants"]) == {"copy_reference", "warp", "model"}
    for name in ("mesh", "landmarks"):
        command = f"train it with: dvc repro suites/dvc.yaml:train@{name}"
        assert command in metrics["not_run"][name]
        for report in ("report.html", "report.md"):
            assert command in (path.parent / report).read_text()


def _outcome(suite: str, pose_errors: dict[str, float]) -> Outcome:
    figures = {
        name: {metric: Figure(error, error - 0.1, error + 0.1, 4) for metric in METRICS if metric != "fid"}
        for name, error in pose_errors.items()
    }
    protocol = {
        **describe([], load_settings()),
        "frozen_list_sha256": None,
        "checkpoint": "models/refiner",
        "weights_sha256": "0" * 64,
        "sampling": {"steps": 1},
        "measured": "all",
    }
    videos: dict[str, list[np.ndarray]] = {name: [] for name in pose_errors}
    return Outcome(SUITES[suite], [], videos, figures, {"fid": NO_FID}, {}, protocol)


@pytest.mark.parametrize(("suite", "number"), [("body", 1), ("portrait", 2), ("references", 3)])
def test_every_figure_stands_beside_the_papers(suite: str, number: int) -> None:
    outcome = _outcome(suite, {"copy_reference": 0.9, "warp": 0.5, "model": 0.2})
    text = as_markdown("Evaluation", list(sections(outcome)))
    for method, values in TABLES[number].rows.items():
        assert f"| {method} (paper) | {' | '.join(f'{value:g}' for value in values)} |" in text
    assert "cannot be compared with ours" in text
    assert "| model (ours) | unavailable | 0.2 | 0.2 | 0.2 | 0.2 |" in text
    assert f"| fid | {NO_FID} |" in text
    for metric in METRICS:
        assert text.count(f"| {metric} |") == 2
    assert "0.2 [0.1, 0.3]" in text


@pytest.mark.parametrize(
    ("errors", "holds"),
    [((0.9, 0.5, 0.2), True), ((0.9, 0.5, 0.6), False), ((0.5, 0.9, 0.2), False), ((0.5, 0.5, 0.2), False)],
)
def test_the_order_is_printed_whatever_it_is(errors: tuple[float, float, float], holds: bool) -> None:
    outcome = _outcome("held-out", dict(zip(("copy_reference", "warp", "model"), errors, strict=True)))
    assert outcome.ordering()["holds"] is holds
    sentence = ordering_sentence(outcome)
    assert f"copy_reference {errors[0]}, warp {errors[1]}, model {errors[2]}" in sentence
    assert ("does NOT hold" in sentence) is not holds


def test_an_order_of_which_one_is_missing_is_not_made_up() -> None:
    outcome = _outcome("held-out", {"copy_reference": 0.9, "warp": 0.5, "model": 0.2})
    lost = {name: {} if name == "model" else figures for name, figures in outcome.figures.items()}
    outcome = replace(outcome, figures=lost)
    assert outcome.ordering()["holds"] is None
    assert "copy_reference 0.9, warp 0.5. Whether" in ordering_sentence(outcome)
    assert "cannot be told without model" in ordering_sentence(outcome)
