"""Prefect on this machine without containers: `python -m infra.local up`.

It starts server, pools, deployments, a worker and the watcher of the inbox. Everything lies under .prefect/ and ends
with the command. The server takes a free port and writes its address into the profile that prefect.toml names, so that
a plain `prefect deployment run train-stages/local --watch` in the repository finds it.
"""

import argparse
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from dreamactor_core.children import spawn, stop
from dreamactor_core.console import say
from dreamactor_core.errors import DreamactorError

from infra.automations import SILENCE_S
from infra.pools import LOCAL_POOL, ROOT_VARIABLE

HOST = "127.0.0.1"
START_S = 240.0
INBOX = Path("batches/inbox")
"""Job tables that are put here are run."""
_PYTHON = [sys.executable, "-m"]
_PREFECT = [*_PYTHON, "prefect"]


class LocalPrefect:
    """A Prefect server on a free port, its pools, a process worker and the inbox, for as long as the context lasts.

    Args:
        root: the workspace that flows run in.
        environment: variables for all of them, such as the database and the accounts of the server.
        silence_s: a run without a heartbeat for so long has crashed.
    """

    def __init__(
        self, root: Path, *, environment: Mapping[str, str] | None = None, silence_s: float = SILENCE_S
    ) -> None:
        self.root = root.resolve()
        self.home = self.root / ".prefect"
        self.port = free_port()
        self.api_url = f"http://{HOST}:{self.port}/api"
        self._given, self._silence_s = dict(environment or {}), silence_s
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = ExitStack()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to talk to this server, beside the rest of the environment."""
        return self._given | {
            "PREFECT_HOME": str(self.home),
            "PREFECT_PROFILES_PATH": str(self._profile),
            "PREFECT_API_URL": self.api_url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_CLI_PROMPT": "false",
            "DO_NOT_TRACK": "1",
            ROOT_VARIABLE: str(self.root),
        }

    @property
    def _profile(self) -> Path:
        return self.home / "profiles.toml"

    def __enter__(self) -> Self:
        self.home.mkdir(exist_ok=True)
        with ExitStack() as stack:
            self._lock(stack)
            stack.callback(self._stop_children)
            self.start_server()
            self._profile.write_text(
                f'active = "local"\n\n[profiles.local]\nPREFECT_API_URL = "{self.api_url}"\n', encoding="utf-8"
            )
            stack.callback(self._profile.unlink, missing_ok=True)
            self.python(["infra.pools", "--silence-s", str(self._silence_s)])
            self.start_worker()
            self._start("inbox", ["infra.inbox", str(INBOX)])
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def start_server(self) -> None:
        """Start the server, on the port it had if it ran before, and wait until it answers."""
        self._start("server", ["prefect", "server", "start", "--host", HOST, "--port", str(self.port)])
        self._wait_for_server()

    def start_worker(self) -> None:
        """Start a worker of the local pool."""
        self._start("worker", ["prefect", "worker", "start", "--pool", LOCAL_POOL, "--type", "process"])

    def child(self, name: str) -> int:
        """The process id of the supervisor of "server", "worker" or "inbox"."""
        return self._children[name].pid

    def deploy(self) -> str:
        """Create every deployment of prefect.yaml; returns what Prefect printed."""
        return self.prefect(["--no-prompt", "deploy", "--all"])

    def prefect(self, arguments: Sequence[str], timeout_s: float = 600.0) -> str:
        """Run a Prefect command against this server; returns what it printed.

        Raises:
            DreamactorError: the command failed; its output is the problem.
        """
        return self._command([*_PREFECT, *arguments], timeout_s)

    def python(self, arguments: Sequence[str]) -> str:
        """Run a Python module against this server; returns what it printed.

        Raises:
            DreamactorError: it failed; its output is the problem.
        """
        return self._command([*_PYTHON, *arguments])

    def log(self, name: str) -> Path:
        """Where the output of "server", "worker" or "inbox" goes."""
        return self.home / f"{name}.log"

    def raise_if_ended(self) -> None:
        """A child that ends by itself is an error."""
        for child in self._children.values():
            if child.poll() is not None:
                raise DreamactorError(f"{child.args!r} ended with status {child.returncode}", path=self.home)

    def _lock(self, stack: ExitStack) -> None:
        lock = stack.enter_context((self.home / "up.lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise DreamactorError(
                "a local Prefect already runs for this workspace", path=self.home, remedy="Use it, or stop it first"
            ) from problem

    def _start(self, name: str, module: Sequence[str]) -> None:
        # Of a child that is started anew, both lives are of interest.
        with self.log(name).open("ab" if name in self._children else "wb") as output:
            self._children[name] = spawn(
                [*_PYTHON, "dreamactor_core.supervisor", *_PYTHON, *module],
                stdout=output,
                stderr=subprocess.STDOUT,
                environment=self.environment,
                cwd=self.root,
            )

    def _stop_children(self) -> None:
        for child in reversed(self._children.values()):
            stop(child, grace_s=30.0)

    def _wait_for_server(self) -> None:
        """The server answers and the process we started is the one alive: the port is ours."""
        deadline = time.monotonic() + START_S
        while not _healthy(self.api_url):
            self.raise_if_ended()
            if time.monotonic() > deadline:
                raise DreamactorError(f"no answer within {START_S:.0f} s", path=self.log("server"))
            time.sleep(0.5)
        self.raise_if_ended()

    def _command(self, command: Sequence[str], timeout_s: float = 600.0) -> str:
        finished = subprocess.run(
            command,
            cwd=self.root,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if finished.returncode != 0:
            raise DreamactorError(f"{' '.join(command[1:])} failed: {finished.stdout[-4000:]}")
        return finished.stdout


def free_port() -> int:
    """A port nobody listens on, chosen by the system."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _healthy(api_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api_url}/health", timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def up(root: Path) -> None:
    """Start everything, deploy, and stay until interrupted."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    say("Prefect starts (half a minute)")
    with LocalPrefect(root) as stack:
        stack.deploy()
        say(f"Prefect is up: {stack.api_url.removesuffix('/api')} (logs in {stack.home.name}/)")
        say("In another terminal: prefect deployment run train-stages/local --watch")
        say(f"Job tables that are put into {INBOX}/ are run; Ctrl-C ends everything")
        while not ended.wait(2.0):
            stack.raise_if_ended()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["up"], help="start server, pools, deployments, worker and inbox")
    parser.add_argument("--root", type=Path, default=Path(), help="the workspace; default: this folder")
    options = parser.parse_args(arguments)
    try:
        up(options.root)
    except DreamactorError as error:
        sys.exit(f"error: {error.line()}")


if __name__ == "__main__":
    main()
