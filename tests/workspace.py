"""Copies of the repository, and the real commands run in them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Finished:
    """A process that has ended."""

    status: int
    stdout: str
    stderr: str


class Workspace:
    """A copy of the repository in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *command: str, timeout_s: float = 1200, **environment: str) -> Finished:
        """Run a command of this environment in the workspace."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1", **environment},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def dreamactor(self, *arguments: str, **environment: str) -> Finished:
        """Run the real command line."""
        return self.run(str(BIN / "dreamactor"), *arguments, **environment)

    def dvc(self, *arguments: str) -> Finished:
        """Run the real DVC."""
        return self.run(sys.executable, "-m", "dvc", *arguments)


def copy_repository(root: Path, params: Mapping[str, Any]) -> Workspace:
    """What git tracks, with other values in params.yaml, as the first commit of a repository of its own."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, tracked):
        source = REPOSITORY / name
        # The packages are imported from where they are installed; a copy of them would only be read by mistake.
        if source.is_file() and not name.startswith("packages/"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, root / name)
    (root / "dvc.lock").unlink(missing_ok=True)
    settings = merge(yaml.safe_load((REPOSITORY / "params.yaml").read_text()), params)
    (root / "params.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    identity = (["config", "user.name", "test"], ["config", "user.email", "test@example.org"])
    for command in (["init", "-q"], *identity, ["add", "-A"], ["commit", "-qm", "start"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    return Workspace(root)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings, the second one's values first."""
    merged = dict(base)
    for key, value in over.items():
        inner = merged.get(key)
        merged[key] = merge(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return merged
