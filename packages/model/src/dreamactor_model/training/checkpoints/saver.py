"""Saving beside the training: the state is copied aside, which is all the training waits for; a thread writes it.

Ranks write without speaking to each other: each leaves its file and then a note of its size and hash; the thread of
rank 0 waits for all notes and commits. What went wrong is told at the next step, by `failure`.
"""

import json
import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from dreamactor_core.errors import TrainingError
from dreamactor_core.files import sha256_file, write_json
from torch import Tensor

from dreamactor_model.training.checkpoints.commit import commit_checkpoint, temporary_folder
from dreamactor_model.training.checkpoints.fragment_files import SUFFIX, write_fragments
from dreamactor_model.training.checkpoints.fragments import Fragment
from dreamactor_model.training.checkpoints.state import STATE

_NOTE, _FAILED = ".note.json", ".failed"
_POLL_S = 0.02


class CheckpointSaver:
    """Writes the checkpoints of one rank, at most one at a time.

    Args:
        root: folder of the checkpoints, shared by all ranks.
        fragments: what this rank writes.
        keep_last, keep_every: which checkpoints stay (`commit_checkpoint`).
    """

    def __init__(
        self,
        root: Path,
        fragments: tuple[Fragment, ...],
        *,
        rank: int,
        world: int,
        keep_last: int,
        keep_every: int | None,
    ) -> None:
        self._root, self._fragments, self._rank, self._world = root, fragments, rank, world
        self._keep_last, self._keep_every = keep_last, keep_every
        self._aside: dict[str, list[Tensor]] = {}
        self._thread: threading.Thread | None = None
        self.failure: Exception | None = None

    def save(self, step: int, kinds: Mapping[str, list[Tensor]], state: Mapping[str, Any]) -> None:
        """Copy the flat tensors of every kind aside and go on; waits only for a save that is still under way.

        Args:
            kinds: what the checkpoint holds of each flat tensor.
            state: the rest of it, as JSON; rank 0's is kept.
        """
        self.wait()
        for kind, flats in kinds.items():
            if kind not in self._aside:
                self._aside[kind] = [_host_copy(flat) for flat in flats]
            for copy, flat in zip(self._aside[kind], flats, strict=True):
                copy.copy_(flat, non_blocking=True)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self._thread = threading.Thread(target=self._write, args=(step, dict(state)), name="checkpoint", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until nothing is being written."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _write(self, step: int, state: dict[str, Any]) -> None:
        temporary = temporary_folder(self._root, step)
        name = f"rank-{self._rank}"
        try:
            note = write_fragments(temporary / f"{name}{SUFFIX}", self._fragments, self._aside)
            write_json(temporary / f"{name}{_NOTE}", note)
            if self._rank == 0:
                self._commit(temporary, state)
        except OSError as problem:
            self.failure = TrainingError(
                f"the checkpoint of step {step} could not be written ({problem.strerror})",
                path=self._root,
                remedy="The one before it is whole. Free space, then repeat the command",
            )
        except Exception as problem:  # the training thread raises it, whatever it is
            self.failure = problem
        if self.failure is not None:
            # The largest files go first: a note to the others needs a little space.
            (temporary / f"{name}{SUFFIX}").unlink(missing_ok=True)
            (temporary / f"{name}{_FAILED}").touch()

    def _commit(self, temporary: Path, state: dict[str, Any]) -> None:
        notes = [temporary / f"rank-{rank}{_NOTE}" for rank in range(self._world)]
        while not all(note.exists() for note in notes):
            if list(temporary.glob(f"*{_FAILED}")):
                raise TrainingError("another rank could not write its part of the checkpoint", path=temporary)
            time.sleep(_POLL_S)
        write_json(temporary / STATE, state)
        files = {f"rank-{rank}{SUFFIX}": json.loads(note.read_text()) for rank, note in enumerate(notes)}
        files[STATE] = {"bytes": (temporary / STATE).stat().st_size, "sha256": sha256_file(temporary / STATE)}
        for note in notes:
            note.unlink()
        commit_checkpoint(temporary, files, keep_last=self._keep_last, keep_every=self._keep_every)


def _host_copy(flat: Tensor) -> Tensor:
    return torch.empty(flat.shape, dtype=torch.float32, pin_memory=flat.is_cuda)


def require_space(root: Path, checkpoint_bytes: int, *, count: int) -> None:
    """See to it, before the first step, that the checkpoints will fit.

    Args:
        checkpoint_bytes: of one.
        count: how many will lie there at once; those that do already have their place.

    Raises:
        TrainingError: they will not.
    """
    root.mkdir(parents=True, exist_ok=True)
    present = sum(file.stat().st_size for file in root.glob("step-*/*") if file.is_file())
    needed, free = count * checkpoint_bytes - present, shutil.disk_usage(root).free
    if needed > free:
        raise TrainingError(
            f"{count} checkpoints of {checkpoint_bytes / 1e9:.3g} GB will not fit: {free / 1e9:.3g} GB are free",
            path=root,
            remedy="Free space, or keep fewer (training.keep_checkpoints, training.keep_every)",
        )
