"""The folder of job tables: what is taken, when, and how often."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra import inbox as module
from infra.inbox import DEPLOYMENT, Inbox, claim


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Table and key of what would be run."""
    calls: list[tuple[str, str]] = []

    def submit(deployment: str, parameters: dict[str, Any], key: str) -> str:
        assert deployment == DEPLOYMENT
        calls.append((parameters["jobs"], key))
        return "a run"

    monkeypatch.setattr(module, "submit", submit)
    return calls


def test_a_table_is_taken_when_it_is_whole_and_submitted_once(tmp_path: Path, submitted: list[tuple[str, str]]) -> None:
    table, inbox = tmp_path / "today.csv", Inbox(tmp_path)
    table.write_text("reference,")
    inbox.poll()
    table.write_text("reference,consent\n")
    os.utime(table, ns=(1, 1))
    inbox.poll()
    assert table.exists(), "it was still being written"
    for _ in range(3):
        inbox.poll()
    ((jobs, key),) = submitted
    assert not table.exists()
    assert Path(jobs).read_text() == "reference,consent\n"
    assert Path(jobs).parent == tmp_path
    assert key == Path(jobs).name


def test_a_table_can_be_claimed_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    assert claim(tmp_path / "a.csv") is not None
    assert claim(tmp_path / "a.csv") is None


def test_what_was_claimed_by_a_killed_watcher_is_submitted_by_the_next(
    tmp_path: Path, submitted: list[tuple[str, str]]
) -> None:
    (tmp_path / "a.jsonl").write_text("{}")
    claimed = claim(tmp_path / "a.jsonl")
    Inbox(tmp_path).poll()
    assert submitted == [(str(claimed), claimed.name if claimed else "")]


def test_what_cannot_be_submitted_waits(
    tmp_path: Path, submitted: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.parquet").write_text("x")
    claim(tmp_path / "a.parquet")
    inbox, submit = Inbox(tmp_path), module.submit

    def refuse(*_: object, **__: object) -> str:
        raise httpx.ConnectError("nobody there")

    monkeypatch.setattr(module, "submit", refuse)
    inbox.poll()
    monkeypatch.setattr(module, "submit", submit)
    inbox.poll()
    assert len(submitted) == 1


def test_what_is_no_table_stays(tmp_path: Path, submitted: list[tuple[str, str]]) -> None:
    inbox = Inbox(tmp_path)
    for name in ("notes.txt", ".hidden.csv", "me.png"):
        (tmp_path / name).write_text("x")
    for _ in range(3):
        inbox.poll()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden.csv", "me.png", "notes.txt"]
    assert not submitted
