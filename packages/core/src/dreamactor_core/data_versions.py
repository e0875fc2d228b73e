"""Versions of the data set: pushed to a remote by DVC, named by a git tag that holds their dvc.lock.

Only the command lines of DVC and git are relied on, as in `dreamactor_core.lineage`.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from dreamactor_core.errors import LineageError
from dreamactor_core.lineage import DATASET, TransientLineageError, heal_lock, output_hashes

TAG = "data-"
_RECIPE = ("dvc.yaml", "dvc.lock", "params.yaml")
_REMOTE = "data-versions"
# A remote that is away for a while, as boto3, fsspec and git say it; all else would fail again.
_AWAY = re.compile(
    r"could not connect|connection (?:was closed|reset|refused|aborted|timed out)|timed? ?out|cannot connect"
    r"|temporary failure|slow ?down|service unavailable|too many requests|internal error",
    re.IGNORECASE,
)


def push_data(outputs: Sequence[str], remote: str | None = None, *, root: Path | str = ".") -> None:
    """Copy outputs to a remote, where they can be had again by their hash; what is there already is not sent again.

    Args:
        outputs: paths in dvc.yaml.
        remote: a name that DVC knows, or a folder or URL such as s3://bucket/folder; None for DVC's default remote.

    Raises:
        TransientLineageError: the remote cannot be reached now.
        LineageError: no such remote, or it cannot be written.
    """
    root = Path(root).resolve()
    heal_lock(root)
    _dvc(["push", *_remote_option(remote, root), *outputs], root)


def _remote_option(remote: str | None, root: Path) -> list[str]:
    return [] if remote is None else ["--remote", _remote_name(remote, root)]


def _remote_name(remote: str, root: Path) -> str:
    known = set(re.findall(r"^remote\.(.+)\.url=", _dvc(["config", "--list"], root), re.MULTILINE))
    if remote in known:
        return remote
    if "://" not in remote and os.sep not in remote:
        raise LineageError(
            f"DVC knows no remote {remote!r}", remedy=f"Known: {', '.join(sorted(known)) or 'none'}; or give a folder"
        )
    # It is this machine's affair where its remotes are: nothing of it is committed.
    url = remote if "://" in remote else str(Path(remote).expanduser().resolve())
    _dvc(["remote", "add", "--local", "--force", _REMOTE, url], root)
    return _REMOTE


def latest_version(root: Path | str = ".") -> str | None:
    """The newest tag of the data set; None before the first."""
    tags = _git(["tag", "--list", f"{TAG}*"], Path(root)).split()
    numbers = [int(tag.removeprefix(TAG)) for tag in tags if re.fullmatch(rf"{TAG}\d+", tag)]
    return f"{TAG}{max(numbers)}" if numbers else None


def is_current(version: str, root: Path | str = ".") -> bool:
    """Whether the data set is the one that a tag names."""
    tagged = yaml.safe_load(_git(["show", f"{version}:dvc.lock"], Path(root)))
    now = output_hashes(root)
    then = {out["path"]: out["md5"] for stage in tagged.get("stages", {}).values() for out in stage.get("outs", [])}
    return all(path in now and now[path] == then.get(path) for path in DATASET)


def fetch_output(output: str, version: str, target: Path, remote: str | None = None, *, root: Path | str = ".") -> None:
    """A file as it was in a version, from DVC's cache or else from a remote.

    Args:
        target: where it is put.
        remote: see `push_data`.

    Raises:
        LineageError: it is in neither.
    """
    root = Path(root).resolve()
    get = ["get", "--quiet", "--force", "--rev", version, "--out", str(target), ".", output]
    try:
        _dvc(get, root)
    except LineageError:
        # A remote that only this machine knows is not seen by `get`, which reads the version's own configuration.
        _dvc(["fetch", "--all-tags", *_remote_option(remote, root), output], root)
        _dvc(get, root)


def tag_version(message: str, *, root: Path | str = ".") -> str:
    """Commit the recipe (dvc.yaml, dvc.lock, params.yaml), if it is not yet, and give it the next tag.

    Nothing else that may be changed or staged in the repository is committed.

    Raises:
        LineageError: not a git repository, or git refuses (who commits is not known, ...).
    """
    root = Path(root)
    latest = latest_version(root)
    tag = f"{TAG}{1 if latest is None else int(latest.removeprefix(TAG)) + 1}"
    _git(["add", "--force", *_RECIPE], root)
    if _git(["status", "--porcelain", "--", *_RECIPE], root).strip():
        _git(["commit", "--quiet", "--message", f"Data set {tag}: {message}", "--only", "--", *_RECIPE], root)
    _git(["tag", "--annotate", tag, "--message", message], root)
    return tag


def _dvc(arguments: Sequence[str], root: Path) -> str:
    return _run([sys.executable, "-m", "dvc", *arguments], root, f"dvc {arguments[0]}")


def _git(arguments: Sequence[str], root: Path) -> str:
    return _run(["git", *arguments], root, f"git {arguments[0]}")


def _run(command: Sequence[str], root: Path, name: str) -> str:
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        reason = next((line for line in said if line.startswith(("ERROR", "fatal", "error"))), said[-1])
        kind = TransientLineageError if _AWAY.search(done.stderr) else LineageError
        raise kind(f"{name} failed with status {done.returncode}: {reason}", path=root)
    return done.stdout
