"""The sidecar beside every result: what it was made from, by which model, with which settings."""

import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dreamactor_core import __version__
from dreamactor_core.files import sha256_file, write_json

NOTICE = "AI-generated"


@dataclass(frozen=True)
class Ingredient:
    """A file that went into a result: its role and where it lay."""

    role: str
    path: Path


def sidecar_path(result: Path | str) -> Path:
    """Where the sidecar of a result lies: RESULT.json."""
    result = Path(result)
    return result.with_name(result.name + ".json")


def write_sidecar(
    result: Path | str,
    *,
    content: Path,
    ingredients: Sequence[Ingredient],
    model: Mapping[str, Any],
    settings: Mapping[str, Any],
    notes: Sequence[str] = (),
) -> Path:
    """Write the provenance of `result` beside it.

    Args:
        result: the name that the file has or will have.
        content: where its content lies now; a sidecar is written before its result appears.
        model: name, version and sha256 of the weights.
        settings: the settings the result depends on, seed included.
        notes: anything a viewer should know, such as how little the model was trained.
    """
    path = sidecar_path(result)
    write_json(
        path,
        {
            "notice": NOTICE,
            "result": {"name": Path(result).name, "sha256": sha256_file(content)},
            "inputs": [
                {"role": item.role, "name": item.path.name, "sha256": sha256_file(item.path)} for item in ingredients
            ],
            "model": dict(model),
            "settings": dict(settings),
            "notes": list(notes),
            "software": {"dreamactor": __version__, "python": platform.python_version(), "git_commit": git_commit()},
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )
    return path


def git_commit() -> str | None:
    """Commit of the working folder's repository, with `-dirty` where it has changes; None outside a repository."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--match="],
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or None
