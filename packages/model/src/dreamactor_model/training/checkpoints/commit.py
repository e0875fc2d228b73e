"""Folders that become checkpoints, whole or absent, whatever kills the trainer.

All ranks write into `step-N.tmp`; then one adds a manifest of sizes and sha256 sums, forces everything to disk, renames
the folder and last replaces the file `latest` by rename. A folder is read only after its manifest has been checked; one
that has been damaged since is put aside, and the one before it is taken.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from dreamactor_core.console import say
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import sha256_file, write_json, write_text

MANIFEST = "manifest.json"
_LATEST = "latest"
_NAME = re.compile(r"step-(\d+)$")
_ASIDE = ".old"
_DAMAGED = ".damaged"


def temporary_folder(root: Path, step: int) -> Path:
    """Where all ranks write the checkpoint of a step; made if it is not there."""
    temporary = root / f"step-{step}.tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return temporary


def clear_leftovers(root: Path) -> None:
    """What killed saves left: a checkpoint that was being replaced comes back, half-written ones go."""
    for aside in root.glob(f"step-*{_ASIDE}"):
        final = aside.with_suffix("")
        if final.exists():
            shutil.rmtree(aside)
        else:
            aside.replace(final)
    for leftover in root.glob("step-*.tmp"):
        shutil.rmtree(leftover)


def commit_checkpoint(
    temporary: Path, files: Mapping[str, Mapping[str, int | str]], *, keep_last: int, keep_every: int | None
) -> Path:
    """Make the folder a checkpoint, the latest one, and drop those that need not stay.

    Args:
        files: bytes and sha256 of each file in the folder, all of them already forced to disk.
        keep_last: how many of the last ones stay.
        keep_every: those at multiples of this step stay too.
    """
    write_json(temporary / MANIFEST, files)
    _force_to_disk(temporary)
    final = temporary.with_suffix("")
    aside = final.with_suffix(_ASIDE)
    if final.exists():
        final.replace(aside)
    temporary.replace(final)
    _force_to_disk(final.parent)
    write_text(final.parent / _LATEST, final.name)
    shutil.rmtree(aside, ignore_errors=True)
    for folder in _committed(final.parent)[:-keep_last]:
        if keep_every is None or step_of(folder) % keep_every:
            shutil.rmtree(folder)
    return final


def find_checkpoint(root: Path, resume: str) -> Path | None:
    """The checkpoint to go on from, its bytes checked. Only while no trainer writes there.

    Args:
        resume: "none", "auto" (the latest whole one, if there is any) or a step number.

    Raises:
        TrainingError: the step asked for is not there or damaged, or of the checkpoints that were there none is whole.
    """
    if resume == "none":
        return None
    clear_leftovers(root)
    if resume != "auto":
        folder = _at_step(root, resume)
        if problem := _damage(folder):
            raise TrainingError(problem, path=folder, remedy="Resume from auto or another step")
        return folder
    found = _committed(root)
    while found:
        folder = found.pop()
        problem = _damage(folder)
        if problem is None:
            return folder
        aside = folder.with_suffix(_DAMAGED)
        shutil.rmtree(aside, ignore_errors=True)
        folder.replace(aside)
        say(f"{folder.name}: {problem}; kept aside as {aside.name}")
    if (root / _LATEST).exists():
        raise TrainingError(
            "there were checkpoints here, and none is whole", path=root, remedy="To start anew: --resume none"
        )
    return None


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


def _damage(folder: Path) -> str | None:
    """What is wrong with a checkpoint, if anything is."""
    try:
        manifest: dict[str, dict[str, object]] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        return "the checkpoint has no readable manifest"
    for name, entry in manifest.items():
        file = folder / name
        if not file.exists() or file.stat().st_size != entry["bytes"] or sha256_file(file) != entry["sha256"]:
            return f"the checkpoint is damaged: {name} is not what was written"
    return None


def _committed(root: Path) -> list[Path]:
    return sorted((path for path in root.glob("step-*") if _NAME.match(path.name)), key=step_of)


def _force_to_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
