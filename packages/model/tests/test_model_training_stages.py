"""The stage table: what learns, where weights come from, what a run is named after."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from dreamactor_core.errors import SettingsError, TrainingError
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.settings.training import ActivationCheckpointing
from dreamactor_model.actor import DreamActor, parameter_group
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.conditions import Conditions
from dreamactor_model.training.diffusion.diffusion_stage import FlowObjective, initial_actor
from dreamactor_model.training.finished import save_finished
from dreamactor_model.training.spec import TrainingSpec, configuration_hash
from dreamactor_model.training.stages import STAGES, freeze_others, parse_stage, prerequisites, stage_settings
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_ACTOR, MICRO_VAE
from safetensors.torch import load_file


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _batch(actor: DreamActor) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {
        "latents_BCFHW": torch.randn(2, 4, 2, 4, 4),
        "noise_BCFHW": torch.randn(2, 4, 2, 4, 4),
        "timestep_B": torch.tensor([0.3, 0.8]),
        "carried_B": torch.tensor([False, True]),
        "references_BRCHW": torch.randn(2, 1, 4, 4, 4),
        "control_BCTHW": torch.randint(0, 255, (2, 6, 5, 32, 32), dtype=torch.uint8),
        "crops_BTCHW": torch.randint(0, 255, (2, 5, 3, 224, 224), dtype=torch.uint8),
        "weights_BFHW": torch.ones(2, 2, 4, 4),
        "keep_references_B": torch.tensor([True, True]),
        "keep_pose_B": torch.tensor([True, True]),
        "keep_face_B": torch.tensor([True, True]),
    }


@pytest.fixture
def actor() -> DreamActor:
    torch.manual_seed(0)
    return DreamActor(MICRO_ACTOR)


@pytest.mark.parametrize("stage", ["1", "2", "3"])
def test_a_stage_changes_its_parameters_and_not_one_bit_of_the_others(actor: DreamActor, stage: str) -> None:
    row = stage_settings(load_settings().training, parse_stage(stage))
    freeze_others(actor, row.train)
    objective = FlowObjective(actor, row.conditions)
    before = {name: parameter.detach().clone() for name, parameter in actor.named_parameters()}
    learning = [parameter for parameter in actor.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        objective(**_batch(actor))["loss"].backward()
        optimizer.step()
    for name, parameter in actor.named_parameters():
        learns = parameter_group(name) in row.train
        assert torch.equal(parameter, before[name]) != learns, name


def test_what_finds_the_face_learns_in_no_stage_of_the_transformer(actor: DreamActor) -> None:
    for stage in ("1", "2", "3"):
        freeze_others(actor, stage_settings(load_settings().training, parse_stage(stage)).train)
        assert not any(parameter.requires_grad for parameter in actor.face_encoder.finder.parameters()), stage


def test_stage_2_hands_on_what_stage_1_made_to_the_bit(actor: DreamActor, tmp_path: Path) -> None:
    save_checkpoint(VideoVAE(MICRO_VAE), tmp_path / "vae", about={})
    save_finished(actor, tmp_path / "vae", tmp_path / "stage1", about={})
    spec = TrainingSpec(
        stage="2",
        settings=load_settings().model_dump(mode="json"),
        manifest=tmp_path / "clips.arrow",
        starts_from={"1": tmp_path / "stage1"},
        work_dir=tmp_path / "work",
        output=tmp_path / "stage2",
        configuration="",
        without_data="",
        checkpoint=None,
    )
    learnt = initial_actor(spec)
    objective = FlowObjective(learnt, ("reference", "pose", "face"))
    optimizer = torch.optim.AdamW([p for p in learnt.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        objective(**_batch(learnt))["loss"].backward()
        optimizer.step()
    save_finished(learnt, tmp_path / "vae", tmp_path / "stage2", about={})
    before, after = (load_file(tmp_path / name / "model.safetensors") for name in ("stage1", "stage2"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert {parameter_group(name) for name in changed} == {"face_encoder", "face"}


def test_the_paper_trains_all_but_the_face_then_only_it_then_everything() -> None:
    training = load_settings().training
    table = {stage: stage_settings(training, stage) for stage in ("1", "2", "3")}
    assert [row.steps for row in table.values()] == [20_000, 20_000, 30_000]
    assert [row.train for row in table.values()] == [
        ("base",),
        ("face_encoder", "face"),
        ("base", "face_encoder", "face"),
    ]
    assert "face" not in table["1"].conditions
    assert all(row.learning_rate == 5e-6 for row in table.values())


def test_conditions_that_a_stage_does_not_show_do_not_matter(actor: DreamActor) -> None:
    batch = _batch(actor)
    objective = FlowObjective(actor, ("pose",))
    loss = objective(**batch)["loss"]
    changed = batch | {"references_BRCHW": batch["references_BRCHW"] + 1, "crops_BTCHW": 255 - batch["crops_BTCHW"]}
    assert objective(**changed)["loss"] == loss


def test_dropped_samples_see_zeros() -> None:
    conditions = Conditions(torch.ones(2, 1, 1, 1, 1), torch.ones(2, 1, 1, 1, 1), torch.ones(2, 1, 1))
    kept = conditions.keep(
        references_B=torch.tensor([True, False]), pose_B=torch.tensor([False, True]), face_B=torch.tensor([False, True])
    )
    assert kept.references_BRCHW.flatten().tolist() == [1, 0]
    assert kept.pose_BCFHW.flatten().tolist() == [0, 1]
    assert kept.face_BTC is not None
    assert kept.face_BTC.flatten().tolist() == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("checkpointing", ["none", "full"])
def test_compiled_blocks_learn_the_same_under_the_same_names(
    actor: DreamActor, checkpointing: ActivationCheckpointing
) -> None:
    objective = FlowObjective(actor, ["reference", "pose", "face"])
    start = copy.deepcopy(objective.state_dict())
    plain = _learn(objective)
    expected = copy.deepcopy(objective.state_dict())
    objective.load_state_dict(start)
    actor.dit.checkpointing = checkpointing
    actor.compile_blocks()
    assert _learn(objective) == pytest.approx(plain, rel=1e-4)
    assert list(objective.state_dict()) == list(expected)
    with torch.no_grad():
        assert float(objective(**_batch(actor))["loss"]) < plain[0]


def _learn(objective: FlowObjective) -> list[float]:
    """Losses of three steps."""
    optimizer, losses = torch.optim.SGD(objective.parameters(), lr=1e-2), []
    for _ in range(3):
        optimizer.zero_grad()
        loss = objective(**_batch(objective.actor))["loss"]
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"training.zero_stage": 3, "training.activation_checkpointing": "none"}, "zero_stage 0 to 2"),
        ({"training.activation_checkpointing": "selective"}, "none or full"),
    ],
)
def test_what_cannot_be_compiled_is_refused(changes: dict[str, object], remedy: str) -> None:
    with pytest.raises(SettingsError, match=remedy):
        load_settings({"training.compile": True, **changes})


def test_unknown_stages_are_refused() -> None:
    assert [parse_stage(stage) for stage in STAGES] == list(STAGES)
    with pytest.raises(TrainingError, match="unknown stage '4'.*vae, face, 1, 2, 3"):
        parse_stage("4")


def test_a_missing_stage_before_is_named_with_its_command(actor: DreamActor) -> None:
    training = load_settings().training
    with pytest.raises(TrainingError, match="dreamactor model train --stage vae"):
        prerequisites(training, "1")
    with pytest.raises(TrainingError, match="dreamactor model train --stage 1"):
        prerequisites(training, "2")
    save_checkpoint(actor, Path("models/stage1"), about={})
    assert prerequisites(training, "2") == {"1": Path("models/stage1")}


def test_a_warm_up_longer_than_the_stage_is_refused() -> None:
    with pytest.raises(SettingsError, match="warmup_steps"):
        load_settings({"training.face.steps": 10, "training.face.warmup_steps": 10})


def test_a_run_is_named_after_what_decides_its_weights() -> None:
    manifest = Path("manifest.parquet")
    manifest.write_bytes(b"clips")

    def key(change: dict[str, object] | None = None, build: Callable[..., Settings] = load_settings) -> str:
        return configuration_hash(build(change), "1", manifest, {})

    assert key() == key({"training.log_every": 3, "training.stage2.steps": 7, "evaluation.clips": 9})
    changes = {"training.stage1.steps": 7, "training.seed": 1, "model.preset": "wan-5b", "signals.guidance": "mesh"}
    assert len({key(), *(key({name: value}) for name, value in changes.items())}) == 1 + len(changes)
    before = key()
    manifest.write_bytes(b"other clips")
    assert key() != before
