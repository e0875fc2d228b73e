"""A small DVC workspace: three stages that copy a line from one to the next."""

import json
import os
import subprocess
import sys
from pathlib import Path

_STAGES = """
stages:
  clips:
    cmd: mkdir -p data/clips && echo one > data/clips/manifest
    outs: [data/clips]
  signals:
    cmd: {command}
    deps: [data/clips]
    outs: [data/signals]
  shards:
    cmd: mkdir -p data/shards && cp data/signals/manifest data/shards/
    deps: [data/signals]
    outs: [data/shards]
"""
COPY = "mkdir -p data/signals && cp data/clips/manifest data/signals/"


def new_workspace(folder: Path) -> Path:
    """The folder with the stages in it, under Git and DVC; nothing has run."""
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        # Or the process that waits for DVC's statistics to be sent looks like one that works here.
        subprocess.run(command, cwd=folder, env={**os.environ, "DVC_NO_ANALYTICS": "1"}, check=True)
    write_stages(folder, COPY)
    return folder


def write_stages(workspace: Path, command: str) -> None:
    """The same stages, the second one with this command."""
    (workspace / "dvc.yaml").write_text(_STAGES.format(command=json.dumps(command)))
