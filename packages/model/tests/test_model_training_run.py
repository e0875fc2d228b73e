"""Training as a user starts it: two processes under DeepSpeed, MLflow beside them, resumed to the same bits."""

import os
from pathlib import Path

import pytest
from dreamactor_core.errors import InputError, TrainingError
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.tracking import client
from dreamactor_model.training.run import launch
from dreamactor_model.training.run.curves import smooth
from dreamactor_model.training.run.launch import train_stage
from dreamactor_model.training.run.nodes import Nodes
from dreamactor_model.training.spec import CHECKPOINTS, TrainingSpec
from made_up_faces import write_made_up_faces
from safetensors.numpy import load_file


def _settings(folder: Path, **changes: object) -> Settings:
    return load_settings(
        {
            "dataset.sampling.area": 64 * 64,
            "dataset.sampling.max_frames": 29,
            "training.face.steps": 3,
            "training.face.batch": 4,
            "training.faces_dir": str(folder / "faces"),
            "training.log_every": 1,
            "training.checkpoint_every": 2,
            "training.work_dir": str(folder / "runs"),
            "training.models_dir": str(folder / "models"),
            "training.reports_dir": str(folder / "reports"),
            "tracking.uri": f"sqlite:///{folder}/mlflow.db",
            "tracking.artifacts": str(folder / "artifacts"),
            **changes,
        }
    )


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_ranks_train_log_and_resume_to_equal_bits(tmp_path: Path, clip_manifest: Path) -> None:
    settings = _settings(tmp_path)
    write_made_up_faces(tmp_path / "faces")
    done = train_stage(settings, "face", clip_manifest)
    assert {"expression_r2", "yaw_r2", "identity_over_chance"} <= done.metrics.keys()
    assert done.metrics["steps"] == 3
    weights = load_file(done.weights / "model.safetensors")
    report = tmp_path / "reports" / "face"
    assert {path.name for path in report.iterdir()} == {"loss.csv", "loss.png", "metrics.json"}
    assert len((report / "loss.csv").read_text().splitlines()) == 4

    again = train_stage(settings, "face", clip_manifest, resume="2")
    resumed = load_file(again.weights / "model.safetensors")
    assert all((weights[name] == resumed[name]).all() for name in weights)

    mlflow = client(settings.tracking)
    experiment = mlflow.get_experiment_by_name("dreamactor")
    (run,) = mlflow.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["stage.steps"] == "3"
    assert run.data.tags["stage"] == "face"
    assert len(run.data.tags["manifest_sha256"]) == 64
    assert {entry.step for entry in mlflow.get_metric_history(run.info.run_id, "loss")} == {1, 2, 3}
    assert not _children_of_this_process()


def _children_of_this_process() -> list[str]:
    import psutil

    lines = [" ".join(child.cmdline()) for child in psutil.Process(os.getpid()).children(recursive=True)]
    # Python's own, from whichever test first shared memory, and the decoder that waits for the next video.
    kept = ("multiprocessing.resource_tracker", "dreamactor_core.video.decode_child")
    return [line for line in lines if not line.endswith(kept) and kept[0] not in line]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_failing_rank_gives_its_reason_and_leaves_nothing(tmp_path: Path, clip_manifest: Path) -> None:
    # Only the tiny preset trains a VAE; the trainer, not the launcher, knows that.
    settings = _settings(tmp_path, **{"model.preset": "wan-1.3b", "training.processes": 1})
    with pytest.raises(TrainingError, match="public VAE"):
        train_stage(settings, "vae", clip_manifest)
    assert not (tmp_path / "models").exists()
    assert not _children_of_this_process()


def test_what_can_be_refused_early_is(tmp_path: Path, clip_manifest: Path) -> None:
    settings = _settings(tmp_path)
    with pytest.raises(InputError, match="no such file.*dreamactor signals extract"):
        train_stage(settings, "vae", tmp_path / "nowhere.parquet")
    with pytest.raises(InputError, match="no such file.*dreamactor dataset synthesize-faces"):
        train_stage(settings, "face", clip_manifest)
    write_made_up_faces(tmp_path / "faces")
    with pytest.raises(TrainingError, match="train --stage vae"):
        train_stage(settings, "1", clip_manifest)
    with pytest.raises(TrainingError, match="no checkpoint of step 7"):
        train_stage(settings, "face", clip_manifest, resume="7")


class _InterruptedRanks:
    """Ranks that save once and then lose their machine."""

    def __init__(self, spec: TrainingSpec, settings: Settings, nodes: Nodes) -> None:
        spec.write(nodes.number)
        (spec.work_dir / CHECKPOINTS / "step-2").mkdir(parents=True)

    def __enter__(self) -> None:
        raise KeyboardInterrupt

    def __exit__(self, *exception: object) -> None:
        raise AssertionError("never entered")


def test_an_interrupted_training_does_not_begin_anew_on_other_data_unsaid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _settings(tmp_path)
    write_made_up_faces(tmp_path / "faces")
    monkeypatch.setattr(launch, "Ranks", _InterruptedRanks)
    with pytest.raises(KeyboardInterrupt):
        train_stage(settings, "face", tmp_path / "unused")
    faces = tmp_path / "faces" / "faces.json"
    faces.write_text(faces.read_text() + " ")
    with pytest.raises(TrainingError, match="data set is not of the version.*--resume none"):
        train_stage(settings, "face", tmp_path / "unused")
    # Other settings are another experiment, and whoever says so may begin anew.
    with pytest.raises(KeyboardInterrupt):
        train_stage(_settings(tmp_path, **{"training.seed": 5}), "face", tmp_path / "unused")
    with pytest.raises(KeyboardInterrupt):
        train_stage(settings, "face", tmp_path / "unused", resume="none")


def test_smoothing_starts_without_lag() -> None:
    assert smooth([4.0, 2.0])[0] == 4.0
    assert smooth([4.0, 2.0, 3.0])[-1] == pytest.approx(3.0)
    assert smooth([1.0] * 50) == pytest.approx([1.0] * 50)
