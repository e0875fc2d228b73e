"""The stack of infra/compose.yaml on a real Postgres and a real S3 API: who knows no password gets nothing."""

import subprocess

import boto3
import psycopg2
import pytest
from dreamactor_core.data_versions import latest_version
from dreamactor_core.lineage import SHARDS, output_hashes

from infra.local import LocalPrefect
from tests.prefect_api import basic
from tests.stack import SECRETS, Stack, status_of
from tests.workspace import Workspace

pytestmark = pytest.mark.slow


def test_prefect_refuses_who_has_no_password(prefect: LocalPrefect) -> None:
    runs = f"{prefect.api_url}/admin/version"
    assert status_of(f"{prefect.api_url}/health") == 200
    assert status_of(runs) == 401
    assert status_of(runs, authorization=basic("operator:guessed")) == 401
    assert status_of(runs, authorization=basic(SECRETS["PREFECT_AUTH"])) == 200


def test_a_submission_without_the_password_is_refused(prefect: LocalPrefect, prepared: Workspace) -> None:
    stranger = {**prefect.environment, "PREFECT_API_AUTH_STRING": "operator:guessed"}
    refused = prepared.run("prefect", "deployment", "run", "promote/local", **stranger)
    assert refused.status != 0
    assert "401" in refused.stdout + refused.stderr


def test_mlflow_refuses_who_has_no_account(servers: Stack) -> None:
    experiments = f"{servers.mlflow_uri}/api/2.0/mlflow/experiments/search?max_results=5"
    assert status_of(f"{servers.mlflow_uri}/health") == 200
    assert status_of(experiments) == 401
    assert status_of(experiments, authorization=basic("operator:guessed")) == 401
    account = f"{SECRETS['MLFLOW_USER']}:{SECRETS['MLFLOW_PASSWORD']}"
    assert status_of(experiments, authorization=basic(account)) == 200


def test_both_keep_their_records_in_postgres(servers: Stack, trained: Workspace) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(servers.postgres_uri("guessed"))
    known = servers.postgres_uri(SECRETS["POSTGRES_PASSWORD"])
    assert _count(known, "flow_run") > 0
    assert _count(known.replace("/prefect", "/mlflow"), "model_versions") == 1
    assert _count(known.replace("/prefect", "/accounts"), "users") == 1


def _count(uri: str, table: str) -> int:
    connection = psycopg2.connect(uri)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            (count,) = cursor.fetchone()
            return int(count)
    finally:
        connection.close()


def test_data_and_weights_lie_in_the_object_store(trained: Workspace) -> None:
    store = boto3.client("s3")
    data = [item["Key"] for item in store.list_objects_v2(Bucket="dvc")["Contents"]]
    digest = output_hashes(trained.root)[SHARDS]
    assert f"files/md5/{digest[:2]}/{digest[2:]}" in data
    artifacts = [item["Key"] for item in store.list_objects_v2(Bucket="mlflow")["Contents"]]
    assert any(key.endswith("checkpoint/model.safetensors") for key in artifacts)
    assert not any(key.endswith((".pkl", ".pt", ".pth", ".bin")) for key in artifacts)


def test_the_data_set_has_its_version(trained: Workspace) -> None:
    assert latest_version(trained.root) == "data-1"
    tagged = subprocess.run(
        ["git", "show", "data-1:dvc.lock"], cwd=trained.root, check=True, capture_output=True, text=True
    ).stdout
    assert output_hashes(trained.root)[SHARDS] in tagged
