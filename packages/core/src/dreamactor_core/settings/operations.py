"""Where work runs that can be shared out."""

from pydantic import Field

from dreamactor_core.settings.base import Section


class OperationsSettings(Section):
    """What the flows need to know of the machines; no result depends on it."""

    workers: int = Field(2, ge=1, description="Videos that extract-signals tracks at once on this machine.")
    cluster: str | None = Field(
        None,
        pattern=r"^(tcp|tls|ray)://\S+$",
        description="Cluster that tracks them instead: the scheduler of Dask (tcp:// or tls://) or Ray (ray://).",
    )
