"""Stops a worker at each boundary that the code comes to, one run for each, and says what was wrong afterwards.

The boundaries are not listed anywhere: a run in which nobody is stopped notes every one it comes to, before and after
each call that a use case makes outside of its process. A new call is covered from the moment that a worker makes it.
All of them are tried from one run that forks at each. The same seed makes the same run, so that a boundary can also be
tried again alone, or two of them together, by their numbers in that note.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from tests.crash.forking import Forks
from tests.crash.stopping import Reached, Stopping
from tests.crash.story import Story
from tests.fakes.watching import BrokenCallError, WorkerDiedError


@dataclass(frozen=True, slots=True)
class Mode:
    """How a worker is stopped, and whether every queue message comes again afterwards."""

    name: str
    stop: Callable[[str], BaseException]
    redelivers: bool


MODES = (
    Mode("dies", WorkerDiedError, redelivers=False),
    Mode("dies, everything comes again", WorkerDiedError, redelivers=True),
    Mode("call breaks", BrokenCallError, redelivers=False),
    Mode("call breaks, everything comes again", BrokenCallError, redelivers=True),
)


@dataclass(frozen=True, slots=True)
class Violation:
    """A run that ended wrong."""

    mode: str
    stopped: Sequence[Reached]
    faults: Sequence[str]

    def __str__(self) -> str:
        where = " and ".join(map(str, self.stopped)) or "nowhere"
        return f"[{self.mode}] stopped {where}: {'; '.join(self.faults[:4])}"


type Tale = Callable[..., Stopping]
"""Makes a day; it takes what ``Stopping`` takes, and whether everything comes again (``redelivers``)."""


def boundaries(mode: Mode, seed: int = 0, tale: Tale = Story) -> Sequence[Reached]:
    """Every boundary of an undisturbed run, which must itself end well."""
    story = tale(seed=seed, redelivers=mode.redelivers)
    story.play()
    faults = story.faults()
    assert not faults, f"[{mode.name}] nobody was stopped: {faults}"
    return story.reached


def stopped_at(mode: Mode, *numbers: int, seed: int = 0, tale: Tale = Story) -> Violation | None:
    """A run in which workers are stopped at these boundaries, each once; ``None`` when it ended well."""
    story = tale(seed=seed, stop_at=frozenset(numbers), stop=mode.stop, redelivers=mode.redelivers)
    try:
        story.play()
        faults = story.faults()
    except Exception as error:  # noqa: BLE001 - whatever it is, the run did not end well
        faults = [f"{type(error).__name__}: {error}"]
    if not story.stopped:
        faults.append("nobody was stopped: the run is not the same as before")
    return Violation(mode.name, story.stopped, faults) if faults else None


def stopped_everywhere(
    mode: Mode, wrong: Callable[[str, str], None], begun: Callable[[int], None], tale: Tale = Story
) -> Sequence[Reached]:
    """A run for each boundary there is; ``wrong`` is told of each that ended wrong. Returns the boundaries.

    ``begun`` is told how many runs have begun. Forks, so it is for a process of its own.
    """
    forks = Forks(wrong, begun)
    story = tale(stop=mode.stop, redelivers=mode.redelivers, stops_here=forks.here)
    try:
        story.play()
        faults = story.faults()
    except Exception as error:  # noqa: BLE001 - whatever it is, the run did not end well
        faults = [f"{type(error).__name__}: {error}"]
    if forks.is_child:
        forks.end(faults)
    forks.wait()
    if faults:
        wrong("nowhere", "; ".join(faults))
    return story.reached


ALWAYS = frozenset(
    {
        ("send_email", "mailer.send"),
        ("send_email", "frequencies.save"),
        ("send_email", "chunks.put_back"),
        ("send_text", "chunks.put_back"),
        ("send_text", "messages.fall_back"),
        ("receive_text", "domain_events.publish"),
        ("receive_text", "appointments.close"),
    }
)
"""Where a death shows who was kept back, waits, has a place under a cap or was told of: by step and call."""


def one_of_each_kind(reached: Sequence[Reached], every: int = 1) -> Iterator[int]:
    """The number of one boundary of each kind, not always its first; of the kinds only each ``every``-th."""
    by_kind: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for number, here in enumerate(reached):
        by_kind[here.kind].append(number)
    for kind in sorted(by_kind)[::every]:
        yield by_kind[kind][crc32("/".join(kind).encode()) % len(by_kind[kind])]


def those_that_tell_most(reached: Sequence[Reached], every: int = 1) -> Iterator[int]:
    """The numbers of those that are tried in any case: of each step and call each ``every``-th, the first as well."""
    seen: Counter[tuple[str, str]] = Counter()
    for number, here in enumerate(reached):
        place = here.step, here.call
        if place in ALWAYS:
            if seen[place] % every == 0:
                yield number
            seen[place] += 1
