"""Training checkpoints that are whole or absent, whatever kills the trainer.

DeepSpeed writes its files in place. So all ranks write into `step-N.tmp`; then one rank adds a manifest of sizes and
sha256 sums, forces everything to disk, and renames. The file `latest` is the commit point and is replaced by rename.
A checkpoint is read only after its manifest has been checked: DeepSpeed unpickles.
"""

import json
import os
import re
import shutil
from pathlib import Path

from dreamactor_core.errors import TrainingError
from dreamactor_core.files import sha256_file, write_json, write_text

_LATEST = "latest"
_MANIFEST = "manifest.json"
_NAME = re.compile(r"step-(\d+)$")


def open_checkpoint(root: Path, step: int) -> Path:
    """An empty temporary folder that all ranks may write into; leftovers of killed saves go."""
    root.mkdir(parents=True, exist_ok=True)
    for leftover in root.glob("step-*.tmp"):
        shutil.rmtree(leftover)
    temporary = root / f"step-{step}.tmp"
    temporary.mkdir()
    return temporary


def commit_checkpoint(temporary: Path, *, keep: int) -> Path:
    """Make the folder a checkpoint, the latest one, and drop all but the last `keep`."""
    files = {
        str(file.relative_to(temporary)): {"bytes": file.stat().st_size, "sha256": sha256_file(file)}
        for file in sorted(temporary.rglob("*"))
        if file.is_file()
    }
    _force_to_disk(temporary)
    write_json(temporary / _MANIFEST, files)
    final = temporary.with_suffix("")
    shutil.rmtree(final, ignore_errors=True)
    temporary.replace(final)
    _force_to_disk(final.parent, recursive=False)
    write_text(final.parent / _LATEST, final.name)
    _prune(final.parent, keep)
    return final


def find_checkpoint(root: Path, resume: str) -> Path | None:
    """The checkpoint to go on from, its bytes checked.

    Args:
        resume: "none", "auto" (the latest, if there is one) or a step number.

    Raises:
        TrainingError: the step asked for is not there, or the checkpoint is damaged.
    """
    if resume == "none":
        return None
    if resume != "auto":
        return _checked(_at_step(root, resume))
    pointer = root / _LATEST
    return _checked(root / pointer.read_text()) if pointer.exists() else None


def step_of(checkpoint: Path) -> int:
    """How many steps it had taken."""
    match = _NAME.match(checkpoint.name)
    assert match is not None, checkpoint
    return int(match[1])


def _at_step(root: Path, resume: str) -> Path:
    folder = root / f"step-{resume}"
    if not resume.isdecimal() or not folder.is_dir():
        known = ", ".join(str(step_of(found)) for found in _committed(root)) or "none"
        raise TrainingError(
            f"there is no checkpoint of step {resume}", path=root, remedy=f"Resume from auto, none or one of: {known}"
        )
    return folder


def _checked(folder: Path) -> Path:
    remedy = f"Delete it and the file {_LATEST} beside it, or resume from another step"
    try:
        manifest: dict[str, dict[str, object]] = json.loads((folder / _MANIFEST).read_text())
    except (OSError, json.JSONDecodeError) as problem:
        raise TrainingError("the checkpoint has no readable manifest", path=folder, remedy=remedy) from problem
    for name, entry in manifest.items():
        file = folder / name
        if not file.exists() or file.stat().st_size != entry["bytes"] or sha256_file(file) != entry["sha256"]:
            raise TrainingError("the checkpoint is damaged", path=file, remedy=remedy)
    return folder


def _committed(root: Path) -> list[Path]:
    return sorted((path for path in root.glob("step-*") if _NAME.match(path.name)), key=step_of)


def _prune(root: Path, keep: int) -> None:
    for folder in _committed(root)[:-keep]:
        shutil.rmtree(folder)


def _force_to_disk(folder: Path, *, recursive: bool = True) -> None:
    for path in [*(folder.rglob("*") if recursive else ()), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
