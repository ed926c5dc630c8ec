"""Background processes that outlive the command which started them, and are ended by their own id only."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.stack.configuration import LOOPBACK, REPOSITORY
from local.stack.errors import StackError

_LOG_LINES: Final = 20
_POLL_SECONDS: Final = 0.1
_TERM_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process id and when it began: together they never mean another process, although ids are used again."""

    pid: int
    began: str

    def runs(self) -> bool:
        """Whether this very process still runs; one that has ended but was not waited for does not."""
        return bool(self.began) and _began(self.pid) == self.began


def start(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
    """Starts ``arguments`` in a session of its own, which Ctrl-C does not reach; what it says goes to ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - our own modules, no shell
            arguments,
            cwd=REPOSITORY,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # It outlives this program on purpose, and is ended by its id; without a return code Python warns of it.
    child.returncode = 0
    return Process(child.pid, _began(child.pid))


def stop(process: Process) -> None:
    """Ends ``process`` and what it started; asked first, and after three seconds made to: nothing has state to save."""
    for number, patience in ((signal.SIGTERM, _TERM_SECONDS), (signal.SIGKILL, _TERM_SECONDS)):
        if not process.runs():
            return
        # It leads a session of its own (see start), so that its group is itself and its children.
        os.killpg(process.pid, number)
        deadline = time.monotonic() + patience
        while process.runs() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    if process.runs():
        raise StackError(f"Process {process.pid} does not end. Please end it by hand.")


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether ``holds`` came true within ``seconds``; asked ten times a second."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def require_free_port(port: int, setting: str) -> None:
    """Raises ``StackError`` with the setting that moves the stack elsewhere when somebody listens on ``port``."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise StackError(
                f"Port {port} is in use by another program. End that, or choose another port: {setting}=… make up"
            ) from error


def last_lines(log: Path) -> str:
    """The end of ``log``, indented, for an error message."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    except FileNotFoundError:
        lines = []
    return "\n".join(f"  | {line}" for line in lines) or "  | (nothing)"


def _began(pid: int) -> str:
    """When the living process ``pid`` began, in whatever the system counts in; empty when there is none."""
    try:
        # After the name in brackets come the state (field 3) and, in clock ticks, the start time (field 22).
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    except ProcessLookupError:
        return ""
    else:
        return "" if fields[0] == "Z" else fields[19]
    # macOS has no /proc.
    shown = subprocess.run(  # noqa: S603 - fixed arguments
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return "" if shown.startswith("Z") else shown.partition(" ")[2].strip()
