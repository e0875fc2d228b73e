"""Start a deployment once: `python -m infra.submission DEPLOYMENT --key KEY [--param NAME=JSON ...]`.

`prefect deployment run` starts another run every time it is called. Whoever may have to repeat a call (a cron job, a
watcher, a shell script on a bad line) gives a key with it: the same key is the same run, however often it is submitted.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any


def submit(deployment: str, parameters: Mapping[str, Any], key: str) -> str:
    """The id of the one run of this deployment that bears the key; it is made if there is none yet.

    Args:
        deployment: FLOW/DEPLOYMENT.

    Raises:
        prefect.exceptions.ObjectNotFound: no such deployment.
        httpx.HTTPError: the server cannot be reached or refuses.
    """
    from prefect.deployments import run_deployment

    run = run_deployment(deployment, parameters=dict(parameters), idempotency_key=key, timeout=0, as_subflow=False)
    return str(run.id)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m infra.submission", description=__doc__.splitlines()[0])
    parser.add_argument("deployment", help="such as train-stages/local")
    parser.add_argument("--key", required=True, help="the same key is the same run")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=JSON", help="a parameter of the flow")
    options = parser.parse_args(arguments)
    parameters = {name: json.loads(value) for name, value in (param.split("=", 1) for param in options.param)}
    print(submit(options.deployment, parameters, options.key))


if __name__ == "__main__":
    main()
