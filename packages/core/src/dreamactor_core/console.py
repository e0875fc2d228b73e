"""What the user sees while work goes on: lines and progress on stderr, so that stdout stays clean for results."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from functools import cache
from typing import TypeVar

from rich.console import Console

Item = TypeVar("Item")
_MILESTONE_S = 10.0


@cache
def _console() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(message: str) -> None:
    """One line for the user."""
    _console().print(message, markup=False)


def progress(items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """Pass items through, showing how far they are: a bar on a terminal, a line every ten seconds elsewhere."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    if sys.stderr.isatty():
        yield from _bar(items, description, total)
    else:
        yield from _milestones(items, description, total)


def _bar(items: Iterable[Item], description: str, total: int | None) -> Iterator[Item]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_console(), transient=True) as bar:
        yield from bar.track(items, total=total, description=description)


def _milestones(items: Iterable[Item], description: str, total: int | None) -> Iterator[Item]:
    start = last = time.monotonic()
    count = 0
    for count, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= _MILESTONE_S:
            last = now
            say(f"{description}: {count}{'' if total is None else f' of {total}'} ({now - start:.0f} s)")
    if last != start:
        say(f"{description}: {count} done ({time.monotonic() - start:.0f} s)")
