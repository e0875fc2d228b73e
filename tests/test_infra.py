"""The container stack, checked as far as it can be without an engine."""

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
INFRA = REPOSITORY / "infra"
TEXT = (INFRA / "compose.yaml").read_text()
VARIABLE = re.compile(r"\$\{(\w+)(:\?)?\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(TEXT)


def example_variables() -> dict[str, str]:
    lines = (INFRA / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_variable_is_in_the_example_and_must_be_given() -> None:
    found = VARIABLE.findall(TEXT)
    assert {name for name, _ in found} == set(example_variables())
    assert all(required for _, required in found), "a variable without :? would silently be empty"


def test_no_secret_has_a_value_in_the_repository() -> None:
    secrets = {name: value for name, value in example_variables().items() if name != "TORCH_BACKEND"}
    assert set(secrets.values()) == {""}
    for name, value in re.findall(r"^\s*(\w*(?:PASSWORD|SECRET|AUTH)\w*(?<!_PATH)):\s*(\S+)$", TEXT, re.MULTILINE):
        assert VARIABLE.search(value), f"{name} holds a literal"


def test_files_and_services_that_are_named_exist(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            assert other in services, f"{name} depends on {other}"
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            known = source in compose["volumes"] if "/" not in source and source != ".." else (INFRA / source).exists()
            assert known, f"{name} mounts {source}"
        if "build" in service:
            assert (INFRA / service["build"]["context"] / service["build"]["dockerfile"]).exists()


def test_ports_are_open_to_this_machine_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_workers_serve_the_pools_of_the_deployments(compose: dict[str, Any]) -> None:
    from infra.pools import POOLS

    commands = [service["command"] for service in compose["services"].values() if "command" in service]
    served = {command[command.index("--pool") + 1] for command in commands if "--pool" in command}
    deployments = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text())["deployments"]
    assert served == set(POOLS) == {deployment["work_pool"]["name"] for deployment in deployments}


def test_both_servers_ask_who_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert "basic-auth" in services["mlflow"]["command"]
    accounts = configparser.ConfigParser()
    accounts.read(REPOSITORY / services["mlflow"]["environment"]["MLFLOW_AUTH_CONFIG_PATH"])
    assert accounts["mlflow"]["default_permission"] == "READ"
    assert not {"admin_password", "admin_username"} & set(accounts["mlflow"])
    assert "PREFECT_SERVER_API_AUTH_STRING" in services["prefect"]["environment"]


def test_every_database_that_a_service_names_is_made(compose: dict[str, Any]) -> None:
    made = set(re.findall(r"CREATE DATABASE (\w+);", (INFRA / "postgres" / "databases.sql").read_text()))
    accounts = (INFRA / "mlflow" / "accounts.ini").read_text()
    assert set(re.findall(r"postgresql\+\w+://\S*?/(\w+)$", TEXT + accounts, re.MULTILINE)) == made


def test_docker_accepts_the_stack(tmp_path: Path) -> None:
    plugin = (
        shutil.which("docker")
        and not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    )
    if not plugin:
        pytest.skip("docker compose is not installed here")
    filled = tmp_path / "filled.env"
    filled.write_text("".join(f"{name}={value or 'x'}\n" for name, value in example_variables().items()))
    command = ["docker", "compose", "-f", str(INFRA / "compose.yaml"), "--env-file", str(filled), "config", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_example_for_h20_is_valid_and_gives_the_deepspeed_configuration_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dreamactor_core.settings import load_settings
    from dreamactor_model.training.run.engine import deepspeed_config

    monkeypatch.setenv("DREAMACTOR_PARAMS", str(INFRA / "h20x8" / "params.yaml"))
    training = load_settings().training
    written = json.loads((INFRA / "h20x8" / "deepspeed.json").read_text())
    for row in (training.stage1, training.stage2, training.stage3):
        assert deepspeed_config(training, row, on_gpu=True, ranks=8, learning=10**9) == written
    assert (training.stage1.steps, training.stage2.steps, training.stage3.steps) == (20_000, 20_000, 30_000)
    assert training.processes == 8


def test_the_example_of_several_nodes_can_be_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from dreamactor_core.settings import load_settings
    from dreamactor_model.training.run.nodes import find_nodes

    monkeypatch.setenv("DREAMACTOR_PARAMS", str(INFRA / "h20x8" / "params.yaml"))
    script = (INFRA / "h20x8" / "train.sbatch").read_text()
    (micro_batches,) = re.findall(r"DREAMACTOR_TRAINING__MICRO_BATCHES=(\d+) srun dreamactor model train", script)
    (count,) = re.findall(r"^#SBATCH --nodes=(\d+)$", script, re.MULTILINE)
    assert "#SBATCH --ntasks-per-node=1\n" in script
    wanted = {"training.micro_batches": int(micro_batches)}
    slurm = {"SLURM_NNODES": count, "SLURM_NODEID": "0", "SLURM_JOB_NODELIST": "node-[1-2]"}
    by_slurm = find_nodes(load_settings(wanted).training, slurm)
    by_file = find_nodes(load_settings(wanted | {"training.hostfile": str(INFRA / "h20x8" / "hosts")}).training, {})
    assert (by_slurm.world, by_slurm.master) == (by_file.world, by_file.master) == (16, "node-1")
