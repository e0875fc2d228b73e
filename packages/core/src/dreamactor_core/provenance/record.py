"""What a result was made from, by which model, with which settings: its record, and the sidecar that holds it."""

import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
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


@dataclass(frozen=True)
class Record:
    """The history of a result.

    Attributes:
        ingredients: the files it was made from.
        model: name, version and sha256 of the weights.
        settings: the settings the result depends on, seed included.
        notes: anything a viewer should know, such as how little the model was trained.
        address: equal for results of equal inputs, weights and settings.
        consent: how whoever is shown has agreed.
    """

    ingredients: Sequence[Ingredient]
    model: Mapping[str, Any]
    settings: Mapping[str, Any]
    notes: Sequence[str] = ()
    address: str | None = None
    consent: str | None = None
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @cached_property
    def content(self) -> dict[str, Any]:
        """As JSON can hold it; made once, because every input is read for its digest.

        Files are named without their folders, which concern nobody else.
        """
        return {
            "notice": NOTICE,
            "inputs": [
                {"role": item.role, "name": item.path.name, "sha256": sha256_file(item.path)}
                for item in self.ingredients
            ],
            "model": dict(self.model),
            "settings": dict(self.settings),
            "notes": list(self.notes),
            "address": self.address,
            "consent": self.consent,
            "software": {"dreamactor": __version__, "python": platform.python_version(), "git_commit": git_commit()},
            "created": self.created,
        }


def sidecar_path(result: Path | str) -> Path:
    """Where the sidecar of a result lies: RESULT.json."""
    result = Path(result)
    return result.with_name(result.name + ".json")


def write_sidecar(result: Path | str, record: Record, *, content: Path) -> Path:
    """Write the record of `result` beside it.

    Args:
        result: the name that the file has or will have.
        content: where its content lies now; a sidecar is written before its result appears.
    """
    path = sidecar_path(result)
    named = {"name": Path(result).name, "sha256": sha256_file(content)}
    write_json(path, {**record.content, "result": named})
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
