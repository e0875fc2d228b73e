"""Adapters on disk, and the whole model they become: `dreamactor model merge-lora`."""

from pathlib import Path
from typing import Any

from dreamactor_core.errors import WeightsError
from dreamactor_core.files import atomic_directory, sha256_file
from dreamactor_core.settings.training import LoraStageSettings
from torch import Tensor

from dreamactor_model.actor import DreamActor
from dreamactor_model.checkpoint import MANIFEST_FILE, load_checkpoint, read_about
from dreamactor_model.checkpoint.folder import fill_folder, read_config, verify_checkpoint, weight_files
from dreamactor_model.checkpoint.tensors import TensorSpec, read_file
from dreamactor_model.lora.adapters import adapter_state, add_adapters, merge_adapters
from dreamactor_model.training.finished import VAE_FOLDER, find_refiner, save_finished

_KIND = "lora"


def save_adapters(actor: DreamActor, row: LoraStageSettings, base: Path, folder: Path) -> None:
    """Write the adapters of an actor, with the name and hash of the model they belong to."""
    state = adapter_state(actor)

    def make(name: str) -> Tensor:
        return state[name].detach().cpu().contiguous()

    config: dict[str, Any] = {
        "kind": _KIND,
        "config": {"rank": row.rank, "alpha": row.alpha},
        "about": {"base": str(base), "base_manifest_sha256": sha256_file(base / MANIFEST_FILE), "steps": row.steps},
    }
    with atomic_directory(folder) as temporary:
        fill_folder(temporary, config, {name: TensorSpec.of(tensor) for name, tensor in state.items()}, make)


def load_adapted(folder: Path, base: Path) -> DreamActor:
    """The base with its adapters in place, not merged.

    Raises:
        WeightsError: no adapters, damaged, or of another base.
    """
    verify_checkpoint(folder)
    written = read_config(folder)
    if written["kind"] != _KIND:
        raise WeightsError(f"holds {written['kind']!r}, not adapters", path=folder)
    if sha256_file(base / MANIFEST_FILE) != written["about"]["base_manifest_sha256"]:
        raise WeightsError(
            f"the adapters belong to another model than {base}", path=folder, remedy="Name theirs with --base"
        )
    actor = load_checkpoint(base, DreamActor)
    add_adapters(actor, **written["config"])
    state = {name: tensor for file in weight_files(folder) for name, tensor in read_file(file, "cpu").items()}
    if state.keys() != adapter_state(actor).keys():
        raise WeightsError("the adapters are of another architecture", path=folder)
    actor.load_state_dict(state, strict=False)
    return actor


def merge_lora(folder: Path, output: Path, base: Path | None = None) -> None:
    """Write the whole model that base and adapters are: animated with, evaluated and registered as any other.

    Args:
        base: where the base lies now; None: where it lay when the adapters were trained.

    Raises:
        WeightsError: the adapters or their base are missing, damaged or do not belong together.
    """
    verify_checkpoint(folder)
    base = base or Path(str(read_about(folder).get("base")))
    actor = load_adapted(folder, base)
    merge_adapters(actor)
    about = read_about(base) | {"stage": _KIND, "lora_manifest_sha256": sha256_file(folder / MANIFEST_FILE)}
    save_finished(actor, base / VAE_FOLDER, output, about=about, refiner_folder=find_refiner(base))
