"""What Prefect's server says when it is asked directly, without the seconds that its command line takes to start."""

import base64
import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

from prefect.client.schemas.objects import TERMINAL_STATES, StateType

from infra.local import LocalPrefect

T = TypeVar("T")


def basic(account: str) -> str:
    """The header by which NAME:PASSWORD is sent."""
    return f"Basic {base64.b64encode(account.encode()).decode()}"


def ask(prefect: LocalPrefect, path: str, question: dict[str, Any] | None = None) -> Any:
    """The answer of the server; a question is posted."""
    data = None if question is None else json.dumps(question).encode()
    headers = {"Content-Type": "application/json"}
    if account := prefect.environment.get("PREFECT_API_AUTH_STRING"):
        headers["Authorization"] = basic(account)
    request = urllib.request.Request(f"{prefect.api_url}/{path}", data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def ended_as(prefect: LocalPrefect, flow_run: str) -> str | None:
    """The state in which a flow run ended; None while it has not."""
    state = ask(prefect, f"flow_runs/{flow_run}")["state"]
    return str(state["name"]) if StateType(state["type"]) in TERMINAL_STATES else None


def eventually(what: Callable[[], T], within_s: float) -> T:
    """The first answer that holds something.

    Raises:
        AssertionError: none did in time.
    """
    deadline = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.2)
    return found
