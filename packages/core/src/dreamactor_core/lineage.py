"""DVC behind one module: run its stages as a child, heal what a killed DVC leaves, read the hashes of dvc.lock.

Only DVC's command line and its dvc.lock are relied on; nothing here or above imports it.
"""

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import yaml

from dreamactor_core.children import spawn, stop
from dreamactor_core.console import say
from dreamactor_core.errors import LineageError
from dreamactor_core.supervisor import GRACE_S

SIGNALS = "data/signals"
CURATED = "data/curated/manifest.parquet"
SHARDS = "data/shards"
DATASET = (CURATED, SHARDS)
"""What a data set is: its clips in shards, and the manifest that says of every clip why it is in or out."""
LOGS = Path("runs/logs")

_RUNNING = re.compile(r"^Running stage '(?P<stage>[^']+)'")
_FAILED = re.compile(r"failed to run: (?P<command>.+), exited with (?P<status>-?\d+)")
_BUSY = re.compile(r"Unable to acquire lock|is busy, it is being blocked by")
# The command line's own word on an error says most, then DVC's, then whatever was said last.
_REASONS = [re.compile(r"^error: (.+)"), re.compile(r"^ERROR: (.+)"), re.compile(r"(.*\S.*)")]
# Somebody took the machine away or asked for it; the stage itself did nothing wrong. SIGKILL is not among them: it is
# what the kernel sends when memory runs out, and the same stage would run out of it again.
_INTERRUPTIONS = {status for number in (signal.SIGTERM, signal.SIGHUP) for status in (-number, 128 + number)}
_TAIL_LINES = 200
# Of a long stage one line in a while is enough to see that it lives; the log has them all.
_REPORT_S = 30.0


class TransientLineageError(LineageError):
    """The lineage could not be reproduced now, through no fault of the stage: worth another try."""


def reproduce(stages: Sequence[str] = (), *, root: Path | str = ".", report: Callable[[str], None] = say) -> list[str]:
    """Bring stages (all of them, when none is named) and what they depend on up to date.

    DVC runs in its own process group under a supervisor: it and the stage's command end with this process, after a
    SIGTERM that leaves a trainer the time to save. The whole output goes to a file under runs/logs; only milestones
    are reported.

    Args:
        stages: names in dvc.yaml, such as "signals" or "train@1".
        root: the workspace, where dvc.yaml lies.
        report: takes one line for each milestone.

    Returns:
        The stages that really ran; none if all were up to date.

    Raises:
        TransientLineageError: another process works on the same files, or the stage was interrupted from outside.
        LineageError: a stage failed; the error carries its last words and its log.
    """
    root = Path(root).resolve()
    heal_lock(root)
    name = "-".join(stages).replace("/", "-") or "all"
    log = root / LOGS / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    report(f"dvc repro {' '.join(stages)} (log: {log.relative_to(root)})")
    command = [sys.executable, "-m", "dreamactor_core.supervisor", sys.executable, "-m", "dvc", "repro", *stages]
    # The stages' commands are those of this environment, whether or not it has been activated.
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    process = spawn(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, environment=environment)
    try:
        assert process.stdout is not None
        ran, tail = _follow(process.stdout, log, report)
        status = process.wait()
    finally:
        if process.poll() is None:
            stop(process, grace_s=GRACE_S + 5)
    if status != 0:
        raise _failure(status, tail, log.relative_to(root))
    return ran


def _follow(lines: Iterable[bytes], log: Path, report: Callable[[str], None]) -> tuple[list[str], list[str]]:
    """Copy the output to the log; returns the stages that ran and the last lines."""
    ran: list[str] = []
    last_report = time.monotonic()
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with log.open("wb", buffering=0) as file:
        for raw in lines:
            file.write(raw)
            line = raw.decode(errors="replace").rstrip()
            tail.append(line)
            running = _RUNNING.match(line)
            if running:
                ran.append(running["stage"])
                report(f"stage {running['stage']} runs")
            elif line and time.monotonic() - last_report > _REPORT_S:
                last_report = time.monotonic()
                report(line)
    return ran, list(tail)


def _failure(status: int, tail: Sequence[str], log: Path) -> LineageError:
    text = "\n".join(tail)
    if _BUSY.search(text):
        return TransientLineageError("another process works on the same files", remedy="Wait for it, then repeat")
    failed = _FAILED.search(text)
    command, stage_status = (failed["command"], int(failed["status"])) if failed else ("dvc repro", status)
    if stage_status in _INTERRUPTIONS or status in _INTERRUPTIONS:
        return TransientLineageError(f"{command} was interrupted (status {stage_status})", path=log)
    return LineageError(
        f"{command} failed with status {stage_status}: {_reason(tail)}", path=log, remedy="The log says more"
    )


def _reason(tail: Sequence[str]) -> str:
    for pattern in _REASONS:
        for line in reversed(tail):
            if match := pattern.match(line):
                return match[1]
    return "it said nothing"


def heal_lock(root: Path | str = ".") -> bool:
    """Remove a `.dvc/tmp/rwlock` that a killed DVC left half-written; every later repro would refuse it.

    Returns:
        Whether there was one. A damaged lock is left alone while any DVC works in the workspace.

    Raises:
        TransientLineageError: the lock is damaged and another DVC is alive here.
    """
    folder = Path(root).resolve() / ".dvc" / "tmp"
    lock = folder / "rwlock"
    if not lock.exists() or _is_json(lock):
        return False
    with (folder / "rwlock.lock").open("a") as guard:
        try:
            # The guard DVC itself holds while it edits the lock: a half-written file may be one being written now.
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise TransientLineageError("DVC is writing its lock", path=lock, remedy="Repeat") from problem
        if _is_json(lock):
            return False
        owner = _dvc_process(folder.parent.parent)
        if owner is not None:
            raise TransientLineageError(
                f"DVC's lock is damaged and process {owner} may own it", path=lock, remedy="Wait for it, then repeat"
            )
        lock.unlink()
    return True


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError):
        return False
    return True


def _dvc_process(root: Path) -> int | None:
    """The id of a DVC that runs inside the workspace, if there is one."""
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        arguments, folder = process.info["cmdline"] or [], process.info["cwd"]
        # Its daemon, which counts commands for a while after each, owns nothing.
        is_dvc = "dvc" in (Path(argument).name for argument in arguments[:3]) and "daemon" not in arguments
        if is_dvc and folder is not None and Path(folder).is_relative_to(root):
            return process.info["pid"]
    return None


def data_versions(root: Path | str = ".") -> dict[str, str]:
    """What a training run saw of the data: DVC's hashes of the shards and of the control signals they were made of.

    Returns:
        `data_version` and `signals_version`, each only if dvc.lock records it: without DVC there is no version.
    """
    known = output_hashes(root)
    named = {"data_version": SHARDS, "signals_version": SIGNALS}
    return {name: known[output] for name, output in named.items() if output in known}


def output_hashes(root: Path | str = ".") -> dict[str, str]:
    """DVC's hash of every output in dvc.lock, by its path; empty before the first `dvc repro`."""
    path = Path(root) / "dvc.lock"
    if not path.exists():
        return {}
    stages: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text()).get("stages", {})
    outputs = [output for stage in stages.values() for output in stage.get("outs", [])]
    return {output["path"]: output["md5"] for output in outputs}
