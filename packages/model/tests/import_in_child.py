"""Imports a small base, then a large one, and prints by how many bytes the large one raised the memory of the process.

Run as a program: FOLDER SHARD_BYTES. The folder holds small/ and large/; the results go into it too.
"""

import sys
from pathlib import Path

from dreamactor_model.base.prompt import no_prompt
from dreamactor_model.base.source import open_base
from dreamactor_model.base.wan_import import ImportChoices, import_wan
from dreamactor_model.presets import Preset
from wan_folders import LARGE, T2V


def _memory_bytes(kind: str) -> int:
    """VmRSS (now) or VmHWM (the most so far) of this process: anonymous memory and mapped files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{kind}:"))


def _import(folder: Path, name: str, preset: Preset, shard_bytes: int) -> None:
    choices = ImportChoices(no_prompt(preset.actor), shard_bytes=shard_bytes)
    import_wan(open_base(folder / name), folder / name / "vae", folder / f"{name}-out", preset, choices)


if __name__ == "__main__":
    folder, shard_bytes = Path(sys.argv[1]), int(sys.argv[2])
    _import(folder, "small", T2V, shard_bytes)
    before = _memory_bytes("VmRSS")
    _import(folder, "large", LARGE, shard_bytes)
    print(_memory_bytes("VmHWM") - before)
