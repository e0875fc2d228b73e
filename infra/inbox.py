"""Batches by file: `python -m infra.inbox FOLDER` runs animate-batch for every job table that appears in a folder.

A table is claimed by renaming it, which succeeds once however many watchers there are, and its new name is the key it
is submitted by: a watcher that is killed between the two submits the table when it comes back, and never twice.
Paths in a table are relative to its folder, so it stays there.
"""

import argparse
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from dreamactor_core.console import say

from infra.submission import submit

DEPLOYMENT = "animate-batch/inbox"
SUFFIXES = frozenset({".csv", ".jsonl", ".parquet"})
POLL_S = 2.0
_CLAIMED = re.compile(r"\.claimed-\d{8}T\d{6}-[0-9a-f]{8}$")


class Inbox:
    """A folder whose job tables become runs of animate-batch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._seen: dict[Path, tuple[int, int]] = {}
        self._submitted: set[Path] = set()

    def poll(self) -> None:
        """Claim what has come, and submit what is claimed."""
        for table in self._whole_tables():
            claim(table)
        for table in self._tables(claimed=True):
            if table not in self._submitted and _try_to_submit(table):
                self._submitted.add(table)

    def _tables(self, *, claimed: bool) -> list[Path]:
        files = (path for path in self.folder.iterdir() if path.suffix.lower() in SUFFIXES and path.name[0] != ".")
        return sorted(path for path in files if bool(_CLAIMED.search(path.stem)) is claimed)

    def _whole_tables(self) -> list[Path]:
        """Tables that are as they were at the last look: somebody may still be writing the others."""
        before, self._seen = self._seen, {}
        for table in self._tables(claimed=False):
            # Another watcher may be claiming it now.
            with suppress(FileNotFoundError):
                state = table.stat()
                self._seen[table] = (state.st_size, state.st_mtime_ns)
        return [table for table, state in self._seen.items() if before.get(table) == state]


def claim(table: Path) -> Path | None:
    """Make a table this watcher's; returns its new name, or None if another one was quicker."""
    claimed = table.with_stem(f"{table.stem}.claimed-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}")
    try:
        return table.rename(claimed)
    except FileNotFoundError:
        return None


def _try_to_submit(table: Path) -> bool:
    import httpx
    from prefect.exceptions import ObjectNotFound

    try:
        run = submit(DEPLOYMENT, {"jobs": str(table)}, key=table.name)
    except (httpx.HTTPError, ObjectNotFound) as problem:
        say(f"{table.name} waits: {type(problem).__name__} {problem}")
        return False
    say(f"{table.name} is run {run}")
    return True


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m infra.inbox", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder to watch; made if it is missing")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    inbox = Inbox(options.folder)
    say(f"watching {inbox.folder}")
    while True:
        inbox.poll()
        time.sleep(POLL_S)


if __name__ == "__main__":
    main()
