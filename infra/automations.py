"""What the Prefect server does by itself: a run that has fallen silent is marked as crashed.

A flow engine that is killed together with its worker can tell nobody, and its run would stay `Running` for ever and
keep its place in every limit. So engines send heartbeats (prefect.toml says how often), and a run of which nothing is
heard for as long as three of them is crashed: its place is free, and `prefect flow-run retry RUN` goes on with it.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect.events.schemas.automations import AutomationCore

SILENT_RUNS = "crash-silent-runs"
SILENCE_S = 90.0
_HEARTBEAT = "prefect.flow-run.heartbeat"
_ENDED = frozenset(f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed"))


def silent_runs(silence_s: float) -> "AutomationCore":
    """After a heartbeat another one or an end must follow within `silence_s`; else the run has crashed."""
    from prefect.client.schemas.objects import StateType
    from prefect.events.actions import ChangeFlowRunState
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

    return AutomationCore(
        name=SILENT_RUNS,
        description="A flow run that sends no heartbeats any more has crashed.",
        trigger=EventTrigger(
            after={_HEARTBEAT},
            expect={_HEARTBEAT, *_ENDED},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=silence_s),
        ),
        actions=[
            ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=f"No heartbeat for {silence_s:.0f} s")
        ],
    )


def create_automations(silence_s: float = SILENCE_S) -> None:
    """Create the automation on the server that $PREFECT_API_URL or the profile names, or bring it up to date."""
    from prefect.client.orchestration import get_client

    wanted = silent_runs(silence_s)
    with get_client(sync_client=True) as client:
        known = client.read_automations_by_name(wanted.name)
        if known:
            client.update_automation(known[0].id, wanted)
        else:
            client.create_automation(wanted)
