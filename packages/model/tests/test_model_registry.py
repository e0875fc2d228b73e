"""Versions and the champion, on a real MLflow in sqlite."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file, write_json
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.settings.evaluation import PromotionSettings
from dreamactor_core.settings.tracking import TrackingSettings
from dreamactor_core.tracking import client
from dreamactor_model.actor import DreamActor
from dreamactor_model.audio_weights import find_audio
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.encoders.audio import AudioEncoder
from dreamactor_model.encoders.face_branch import face_branch_sha256
from dreamactor_model.presets import AudioConfig
from dreamactor_model.registry import (
    checkpoint_folder,
    promote_version,
    register_checkpoint,
    resolve_champion,
    roll_back,
)
from dreamactor_model.registry.promotion import decide
from dreamactor_model.registry.registration import protocol_sha256
from dreamactor_model.training.finished import VAE_FOLDER, save_finished
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_ACTOR, MICRO_VAE
from mlflow.entities.model_registry import ModelVersion
from mlflow.pyfunc import load_model


@pytest.fixture(scope="module")
def vae_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registry") / "vae"
    save_checkpoint(VideoVAE(MICRO_VAE), folder, about={})
    return folder


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables, which take seconds to make."""
    path = tmp_path_factory.mktemp("tracking") / "mlflow.db"
    client(TrackingSettings(uri=f"sqlite:///{path}")).search_registered_models()
    return path


@pytest.fixture
def settings(empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(empty_database, tmp_path / "mlflow.db")
    return load_settings(
        {
            "evaluation.checkpoint": str(tmp_path / "stage3"),
            "evaluation.reports_dir": str(tmp_path / "evaluation"),
            "tracking.uri": f"sqlite:///{tmp_path}/mlflow.db",
            "tracking.artifacts": str(tmp_path / "artifacts"),
        }
    )


def _report(settings: Settings) -> Path:
    return Path(settings.evaluation.reports_dir) / settings.evaluation.suite


def _train_and_evaluate(settings: Settings, vae_folder: Path, psnr_db: float, **protocol: Any) -> None:
    folder = Path(settings.evaluation.checkpoint)
    torch.manual_seed(int(psnr_db * 100))
    save_finished(DreamActor(MICRO_ACTOR), vae_folder, folder, about={"preset": "tiny"})
    weights = sha256_file(folder / "manifest.json")
    figures = {"psnr_db": psnr_db, "ssim": 0.5, "lpips": 0.3}
    variants = {"model": {name: {"value": value} for name, value in figures.items()}}
    write_json(_report(settings) / "metrics.json", {"variants": variants})
    write_json(_report(settings) / "protocol.json", {"weights_sha256": weights, "clips": ["a"], **protocol})


def test_a_better_candidate_takes_the_title_and_a_worse_one_does_not(settings: Settings, vae_folder: Path) -> None:
    with pytest.raises(WeightsError, match="registry has no"):
        resolve_champion(settings.tracking)
    _train_and_evaluate(settings, vae_folder, 20.0)
    first = register_checkpoint(settings)
    assert register_checkpoint(settings) == first
    assert promote_version(settings).promoted
    assert resolve_champion(settings.tracking) == first.address

    _train_and_evaluate(settings, vae_folder, 19.0)
    worse = register_checkpoint(settings)
    refusal = promote_version(settings)
    assert (refusal.candidate, refusal.promoted) == (worse.version, False)
    assert "19.0 against 20.0" in refusal.reason
    assert resolve_champion(settings.tracking) == first.address

    _train_and_evaluate(settings, vae_folder, 21.0)
    better = register_checkpoint(settings)
    assert promote_version(settings, better.version).promoted
    assert resolve_champion(settings.tracking) == better.address
    # Each version kept its own weights, though all were trained into one folder.
    kept = [checkpoint_folder(settings.tracking, entry.address) for entry in (first, worse, better)]
    assert len({sha256_file(folder / "model.safetensors") for folder in kept}) == 3


def test_versions_carry_what_they_came_from_and_no_pickle(settings: Settings, vae_folder: Path) -> None:
    _train_and_evaluate(settings, vae_folder, 20.0)
    registered = register_checkpoint(settings)
    version = client(settings.tracking).get_model_version("dreamactor", registered.version)
    assert version.tags["metric.psnr_db"] == "20.0"
    assert {"git_commit", "weights_sha256", "config_sha256", "protocol_sha256"} <= version.tags.keys()
    weights, code = (Path(place.removeprefix("file://")) for place in (version.tags["weights_uri"], version.source))
    assert {path.name for path in weights.rglob("*") if path.is_file()} == {
        "config.json", "manifest.json", "model.safetensors",
    }  # fmt: skip
    # Code and where the weights are, nothing that is unpickled.
    assert {path.suffix for path in code.rglob("*") if path.is_file()} <= {"", ".py", ".txt", ".yaml"}
    model = yaml.safe_load((code / "MLmodel").read_text())["flavors"]["python_function"]
    assert Path(model["model_code_path"]).name == "served_model.py"
    assert "python_model" not in model
    assert model["config"] == {"weights": version.tags["weights_uri"], "weights_sha256": version.tags["weights_sha256"]}


def test_mlflow_itself_loads_a_version_and_asks_for_consent(
    settings: Settings, vae_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _train_and_evaluate(settings, vae_folder, 20.0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", settings.tracking.uri)
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    model = load_model(register_checkpoint(settings).address)
    (outcome,) = model.predict(pd.DataFrame([{"reference": "me.png", "driving": "dance.mp4", "consent": None}]))[
        ["status", "reason"]
    ].to_dict("records")
    assert outcome["status"] == "refused"
    assert "consent" in outcome["reason"]


def test_its_own_audio_encoder_goes_with_a_version_and_no_other(settings: Settings, vae_folder: Path) -> None:
    _train_and_evaluate(settings, vae_folder, 20.0)
    stage = Path(settings.evaluation.checkpoint)
    encoder = AudioEncoder(AudioConfig(4, MICRO_ACTOR.face_width, 8, (1,)))
    save_checkpoint(encoder, stage.parent / "audio", about={"face_branch": "of another model"})
    silent = register_checkpoint(settings)
    save_checkpoint(encoder, stage.parent / "audio", about={"face_branch": face_branch_sha256(stage)})
    speaking = register_checkpoint(settings)
    assert speaking != silent
    assert register_checkpoint(settings) == speaking
    with pytest.raises(WeightsError, match="no audio encoder"):
        find_audio(checkpoint_folder(settings.tracking, silent.address))
    kept = checkpoint_folder(settings.tracking, speaking.address)
    assert find_audio(kept) == kept / "audio"


def test_only_what_was_evaluated_can_be_registered(settings: Settings, vae_folder: Path) -> None:
    save_finished(DreamActor(MICRO_ACTOR), vae_folder, settings.evaluation.checkpoint, about={})
    with pytest.raises(WeightsError, match="not been evaluated.*dreamactor model evaluate"):
        register_checkpoint(settings)
    _train_and_evaluate(settings, vae_folder, 20.0)
    save_finished(DreamActor(MICRO_ACTOR), vae_folder, settings.evaluation.checkpoint, about={"trained": "again"})
    with pytest.raises(WeightsError, match="another checkpoint was evaluated"):
        register_checkpoint(settings)


def test_a_changed_byte_in_the_registry_is_noticed(settings: Settings, vae_folder: Path) -> None:
    _train_and_evaluate(settings, vae_folder, 20.0)
    address = register_checkpoint(settings).address
    weights = checkpoint_folder(settings.tracking, address) / VAE_FOLDER / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00\x01"[weights.read_bytes()[-1] == 0 :][:1])
    with pytest.raises(WeightsError, match="sha256 differs"):
        checkpoint_folder(settings.tracking, address)


def test_a_vae_of_another_model_is_noticed(settings: Settings, vae_folder: Path) -> None:
    _train_and_evaluate(settings, vae_folder, 20.0)
    folder = Path(settings.evaluation.checkpoint)
    save_checkpoint(VideoVAE(MICRO_VAE), folder / VAE_FOLDER, about={"another": True})
    with pytest.raises(WeightsError, match="vae is not the one that belongs"):
        checkpoint_folder(settings.tracking, str(folder))


@pytest.mark.parametrize("address", ["models:/dreamactor", "models:/dreamactor/x", "models:/dreamactor@nobody"])
def test_bad_addresses_are_explained(settings: Settings, address: str) -> None:
    with pytest.raises(WeightsError, match="not an address|registry has no"):
        checkpoint_folder(settings.tracking, address)


def _version(number: str, **tags: str) -> ModelVersion:
    metrics = {"metric.psnr_db": "20", "metric.ssim": "0.5", "metric.lpips": "0.3"}
    defaults = {"weights_sha256": number, "protocol_sha256": "p", **metrics}
    return ModelVersion("dreamactor", number, 0, tags=[_Tag(*item) for item in (defaults | tags).items()])


class _Tag:
    def __init__(self, key: str, value: str) -> None:
        self.key, self.value = key, value


@pytest.mark.parametrize(
    ("tags", "promoted", "reason"),
    [
        ({"metric.psnr_db": "20.6"}, True, "20.6 against 20"),
        ({"metric.psnr_db": "20.4"}, False, "margin 0.5"),
        ({"metric.psnr_db": "22", "metric.ssim": "0.47"}, False, "ssim 0.47 against 0.5, may lose 0.02"),
        ({"metric.psnr_db": "22", "metric.lpips": "0.33"}, False, "lpips 0.33 against 0.3, may lose 0.02"),
        ({"metric.psnr_db": "22", "metric.ssim": "0.49", "metric.lpips": "0.1"}, True, "22.0 against 20.0"),
        ({"metric.psnr_db": "30", "rolled_back": "red faces"}, False, "gone back from: red faces"),
        ({"metric.psnr_db": "30", "protocol_sha256": "q"}, False, "measured on other clips"),
        ({"weights_sha256": "1", "protocol_sha256": "q"}, True, "measured anew"),
    ],
)
def test_the_rule(tags: dict[str, str], promoted: bool, reason: str) -> None:
    decision = decide(_version("2", **tags), _version("1"), PromotionSettings(margin=0.5))
    assert decision.promoted is promoted
    assert reason in decision.reason


@pytest.mark.parametrize("metric", ["psnr_db", "ssim"])
def test_a_candidate_without_a_metric_never_wins(metric: str) -> None:
    candidate = _version("2")
    del candidate.tags[f"metric.{metric}"]
    decision = decide(candidate, None, PromotionSettings())
    assert not decision.promoted
    assert f"no metric {metric}" in decision.reason


def test_the_champion_before_comes_back_and_the_one_gone_back_from_stays_away(
    settings: Settings, vae_folder: Path
) -> None:
    versions = []
    for psnr_db in (20.0, 21.0):
        _train_and_evaluate(settings, vae_folder, psnr_db)
        versions.append(register_checkpoint(settings))
        if len(versions) == 1:
            promote_version(settings)
            with pytest.raises(WeightsError, match="no champion before"):
                roll_back(settings, "too early")
    assert promote_version(settings).promoted
    assert roll_back(settings, "red faces") == versions[0].version
    assert resolve_champion(settings.tracking) == versions[0].address
    assert not promote_version(settings).promoted


@pytest.mark.slow
def test_two_promotions_at_once_leave_the_better_one(settings: Settings, vae_folder: Path) -> None:
    for psnr_db in (20.0, 22.0, 21.0):
        _train_and_evaluate(settings, vae_folder, psnr_db)
        register_checkpoint(settings)
    promote_version(settings, "1")
    program = (
        "import sys; from dreamactor_core.settings import load_settings\n"
        "from dreamactor_model.registry import promote_version\n"
        "settings = load_settings({'tracking.uri': sys.argv[1]}); sys.stdin.readline()\n"
        "print(promote_version(settings, sys.argv[2]).promoted)"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, settings.tracking.uri, version],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for version in ("2", "3")
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = [racer.communicate(timeout=120)[0].strip() for racer in racers]
    assert won[0] == "True"
    assert resolve_champion(settings.tracking) == "models:/dreamactor/2"


def test_reports_that_are_no_json_count_as_none(settings: Settings, vae_folder: Path) -> None:
    _train_and_evaluate(settings, vae_folder, 20.0)
    (_report(settings) / "metrics.json").write_text("{")
    with pytest.raises(WeightsError, match="not been evaluated"):
        register_checkpoint(settings)
    assert json.loads((_report(settings) / "protocol.json").read_text())


def test_a_suite_of_variants_alone_judges_no_checkpoint(settings: Settings, vae_folder: Path) -> None:
    _train_and_evaluate(settings, vae_folder, 20.0)
    write_json(_report(settings) / "metrics.json", {"variants": {"one_reference": {}, "copy_reference": {}}})
    with pytest.raises(WeightsError, match="judges no checkpoint.*held-out"):
        register_checkpoint(settings)


def test_weights_and_the_rest_of_a_manifest_leave_measurements_comparable() -> None:
    first = {"weights_sha256": "1", "variant_weights_sha256": {"model": "1"}, "manifest_sha256": "a", "clips": ["a"]}
    trained_on = {"weights_sha256": "2", "variant_weights_sha256": {"model": "2"}, "manifest_sha256": "b"}
    assert protocol_sha256(first | trained_on) == protocol_sha256(first)
    assert protocol_sha256(first | {"frozen_list_sha256": "other clips"}) != protocol_sha256(first)
