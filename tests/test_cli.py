"""The command line as a whole."""

import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent

# What takes seconds to import; only the command that needs one of these may.
HEAVY = {"torch", "diffusers", "mediapipe", "cv2", "scipy", "pyarrow", "mlflow", "prefect", "dvc", "deepspeed"}


def imported_by(*arguments: str) -> set[str]:
    """Top-level modules that the command line imports before it has answered."""
    command = [sys.executable, "-X", "importtime", BIN / "dreamactor", *arguments]
    log = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    names = [line.rpartition("|")[2].strip() for line in log.splitlines() if line.startswith("import time:")]
    return {name.partition(".")[0] for name in names}


def test_help_imports_nothing_heavy() -> None:
    imported = imported_by("--help")
    assert "dreamactor_core" in imported
    assert not imported & HEAVY


def test_help_shows_what_every_package_adds() -> None:
    shown = subprocess.run([BIN / "dreamactor", "--help"], capture_output=True, text=True, check=True).stdout
    for command in ("animate", "signals", "dataset", "model", "settings"):
        assert command in shown
