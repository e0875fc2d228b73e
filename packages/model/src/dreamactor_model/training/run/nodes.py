"""On which machines the ranks run, and the commands that start them there.

One machine needs nothing. Several are named by a hostfile, whose first line is this machine and whose others are
started from here by ssh; or the cluster starts `dreamactor model train` once a node and its environment says which node
this is (Slurm; Kubernetes by the PyTorchJob of its training operator). The folder is shared by all of them.
"""

import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dreamactor_core.errors import TrainingError
from dreamactor_core.files import require_file
from dreamactor_core.settings.training import TrainingSettings

_PORT = 29_500
_HOST_LINE = re.compile(r"(?P<host>\S+)\s+slots=(?P<slots>\d+)$")
_TRAINER = "dreamactor_model.training.run.trainer"


@dataclass(frozen=True)
class Nodes:
    """The machines of a run.

    Attributes:
        processes: ranks on each.
        count: machines.
        number: of this one, from 0.
        master: address of number 0; None when there is only one.
        port: of the rendezvous there.
        others: hosts that this machine starts by ssh.
    """

    processes: int
    count: int = 1
    number: int = 0
    master: str | None = None
    port: int = _PORT
    others: tuple[str, ...] = ()

    @property
    def world(self) -> int:
        """Ranks in all."""
        return self.count * self.processes

    def local_command(self, spec: Path, logs: Path) -> list[str]:
        """Starts the ranks of this machine; they end when this process does."""
        return [sys.executable, "-m", "dreamactor_core.supervisor", *self._torchrun(self.number, spec, logs)]

    def remote_commands(self, spec: Path, logs: Path, environment: Mapping[str, str]) -> dict[str, list[str]]:
        """Start the ranks of the other hosts of a hostfile. A lost connection ends them."""
        variables = [f"{name}={value}" for name, value in environment.items()]
        commands = {}
        for number, host in enumerate(self.others, start=1):
            supervisor = [sys.executable, "-m", "dreamactor_core.supervisor", *self._torchrun(number, spec, logs)]
            there = f"cd {shlex.quote(str(Path.cwd()))} && exec {shlex.join(['env', *variables, *supervisor])}"
            # A terminal there (-tt), so that its loss is a hang-up to the supervisor.
            commands[host] = ["ssh", "-tt", "-o", "BatchMode=yes", host, there]
        return commands

    def _torchrun(self, number: int, spec: Path, logs: Path) -> list[str]:
        command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={self.processes}"]
        if self.master is None:
            command.append("--standalone")
        else:
            command += [f"--nnodes={self.count}", f"--node-rank={number}"]
            command += [f"--master-addr={self.master}", f"--master-port={self.port}"]
        return [*command, "--log-dir", str(logs / f"node-{number}"), "-m", _TRAINER, str(spec)]


def find_nodes(training: TrainingSettings, environment: Mapping[str, str]) -> Nodes:
    """The machines that the settings or the cluster's environment name.

    Raises:
        TrainingError: the hostfile cannot be used, or the micro-batches cannot be shared equally.
    """
    if training.hostfile is not None:
        nodes = _from_hostfile(Path(training.hostfile))
    elif int(environment.get("SLURM_NNODES", "1")) > 1:
        nodes = Nodes(
            training.processes,
            count=int(environment["SLURM_NNODES"]),
            number=int(environment["SLURM_NODEID"]),
            master=_first_host(environment["SLURM_JOB_NODELIST"]),
        )
    elif "MASTER_ADDR" in environment and "PET_NNODES" in environment:
        nodes = Nodes(
            training.processes,
            count=int(environment["PET_NNODES"]),
            number=int(environment.get("PET_NODE_RANK", environment.get("RANK", "0"))),
            master=environment["MASTER_ADDR"],
            port=int(environment.get("MASTER_PORT", _PORT)),
        )
    else:
        nodes = Nodes(training.processes)
    require_equal_shares(training, nodes.world)
    return nodes


def require_equal_shares(training: TrainingSettings, ranks: int) -> None:
    """Raises TrainingError unless the ranks can share the micro-batches of a step equally."""
    if ranks % training.sequence_parallel or training.micro_batches % (ranks // training.sequence_parallel):
        raise TrainingError(
            f"{training.micro_batches} micro-batches a step cannot be shared equally by {ranks} ranks",
            remedy="Choose training.processes (and nodes) so that their product divides training.micro_batches",
        )


def _from_hostfile(path: Path) -> Nodes:
    lines = [line.partition("#")[0].strip() for line in require_file(path).read_text().splitlines()]
    found = [_HOST_LINE.match(line) for line in lines if line]
    slots = {int(match["slots"]) for match in found if match}
    if not all(found) or len(slots) != 1 or 0 in slots:
        raise TrainingError(
            "every line of a hostfile must be HOST slots=RANKS, with the same number of ranks", path=path
        )
    master, *others = [match["host"] for match in found if match]
    return Nodes(slots.pop(), count=len(found), master=master, others=tuple(others))


def _first_host(nodelist: str) -> str:
    """Of Slurm's compressed list: `gpu[03-07,11],cpu1` begins with gpu03."""
    match = re.match(r"(?P<stem>[^\[,]+)(?:\[(?P<first>\d+))?", nodelist)
    if match is None:
        raise TrainingError(f"SLURM_JOB_NODELIST is not a list of nodes: {nodelist!r}")
    return match["stem"] + (match["first"] or "")
