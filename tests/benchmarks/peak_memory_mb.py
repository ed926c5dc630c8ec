"""The most memory that each function takes, and that it does not grow with the audience.

A whole campaign runs with each function in a process of its own that lives from its first invocation to its last, so
what an invocation leaves behind adds up. What is measured is the whole process, Python and botocore included.
"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any, Final

from rebound.kernel.channels import Channel
from rebound.platform.invocations import IN_LAMBDA
from tests.benchmarks import lonely_function
from tests.benchmarks.__main__ import main
from tests.benchmarks.deployment import START, Deployment, deployment, environment, megabytes
from tests.fakes.aws import ENVIRONMENT, REPOSITORY

SIZES: Final = (1_000, 100_000)
QUICK: Final = {"sizes": (200, 2_000)}
GROWTH: Final = 0.10
"""How much more a function may take for the larger audience."""


@dataclass
class Process:
    """A function that runs alone."""

    running: subprocess.Popen[bytes]
    connection: Connection


@dataclass
class Lonely(Deployment):
    """A deployment whose functions run in processes of their own."""

    processes: dict[str, Process] = field(default_factory=dict)
    asked: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What each function asked, by service and operation."""

    def invoke(self, function: str, event: Any) -> Any:
        if function not in self.processes:
            self.processes[function] = self._start(function)
        connection = self.processes[function].connection
        connection.send((self.cloud.now, event))
        while (said := connection.recv())[0] == "ask":
            before = self.cloud.calls.copy()
            connection.send(self._answer(*said[1:]))
            self.asked[function] |= (self.cloud.calls - before).keys()
        return said[1]

    def _start(self, function: str) -> Process:
        ours, theirs = Pipe()
        handler = REPOSITORY / "functions" / function / "handler.py"
        running = subprocess.Popen(
            [sys.executable, "-m", lonely_function.__name__, str(theirs.fileno()), str(handler)],
            pass_fds=[theirs.fileno()],
            env={
                **environment(),
                **ENVIRONMENT,
                "PATH": "/usr/bin:/bin",
                "POWERTOOLS_SERVICE_NAME": function,
                IN_LAMBDA: function,
            },
            cwd=REPOSITORY,
        )
        theirs.close()
        ours.send(START)
        return Process(running, ours)

    def _answer(self, method: str, url: str, target: Any, body: Any) -> tuple[int, str, bytes]:
        request = SimpleNamespace(method=method, url=url, headers={"X-Amz-Target": target}, body=body)
        answer = self.cloud.answer(request)
        return answer.status_code, answer.headers["content-type"], b"".join(answer.raw.stream())

    def peaks(self) -> dict[str, float]:
        """Megabytes by function; ends the processes."""
        found = {}
        for function, process in self.processes.items():
            process.connection.send(None)
            found[function] = process.connection.recv()[1]
            process.running.wait()
        self.processes.clear()
        return found


def peaks(recipients: int) -> tuple[dict[str, float], Mapping[str, set[str]]]:
    """Megabytes by function after an email campaign to so many, and what each asked."""
    with deployment() as plain:
        lonely = Lonely(plain.cloud)
        lonely.open_business()
        lonely.fill(recipients)
        lonely.run(Channel.EMAIL, recipients)
        return lonely.peaks(), lonely.asked


def run(sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Peaks by size and function."""
    measured = {size: peaks(size) for size in sizes}
    found = {size: by_function for size, (by_function, _) in measured.items()}
    (small, asked_by_small), (large, asked_by_large) = measured[sizes[0]], measured[sizes[-1]]
    # A client of one more service, and what it takes to ask one more thing, is not growth: the larger campaign has
    # something to tell that the smaller has not, and steps of their own for what the plan of the smaller does.
    alike = [f for f in sorted(small) if asked_by_small[f] == asked_by_large[f]]
    most = {function: max(small.get(function, 0.0), large.get(function, 0.0)) for function in small | large}
    return {
        **{
            str(size): {name: round(peak, 1) for name, peak in sorted(by_function.items())}
            for size, by_function in found.items()
        },
        "short": {
            f"{f}, MB at {sizes[0]:,} and {sizes[-1]:,}": f"{small[f]:.0f} {large[f]:.0f}" for f in sorted(small)
        },
        "not_compared": sorted(set(small) - set(alike)),
        "bars": {
            **{f"{f} flat within {GROWTH:.0%}": large[f] <= small[f] * (1 + GROWTH) for f in alike},
            **{f"{f} within its memory size": most[f] < megabytes(f) for f in sorted(most)},
        },
    }


if __name__ == "__main__":
    sys.exit(main("peak_memory_mb"))
