"""A sequence of five steps: what happens by itself with three customers, of whom one leaves half way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from local.demo.api import Customer, Rebound
from local.demo.errors import DemoError
from local.demo.progress import Progress

SEQUENCE_ID: Final = "demo-after-a-visit-{run}"
"""Of each run one of its own, so that nobody has been through it before."""
NAME: Final = "After a visit"
LIMIT_SECONDS: Final = 90.0
_POLL_SECONDS: Final = 1.0
_ARRIVED: Final = "delivered"


def _email(step_id: str, subject: str, words: str) -> Mapping[str, Any]:
    content = {"subject": subject, "text": f"Dear ##{{{{first_name}}}},\n\n{words}\n\nJuniper & Vale"}
    return {"id": step_id, "send": {"channel": "email", "category": "marketing", "content": content}}


SEQUENCE: Final[Mapping[str, Any]] = {
    "name": NAME,
    "trigger": {"kind": "custom", "name": "first-visit"},
    "status": "on",
    "steps": [
        _email("thanks", "Thank you for coming", "how do you like your new colour?"),
        {"id": "rest", "wait": {"seconds": 8}},
        {
            "id": "vip",
            "if": {"tag": "vip"},
            "then": [_email("gift", "A gift for you", "bring a friend, and one of you goes free.")],
            "else": [],
        },
        {"id": "again", "wait": {"seconds": 4}},
        _email("return", "Come again", "your next appointment is a click away."),
    ],
    "exit_on": [{"kind": "review", "goal": True}],
}
"""Days would be waited; here it is seconds."""


@dataclass(frozen=True)
class Went:
    """How somebody went through it: the steps whose messages arrived, and why they left."""

    name: str
    arrived: tuple[str, ...]
    sentence: str
    because: str


@dataclass(frozen=True)
class Passed:
    """How three went through it: who is a VIP, who is not, and who wrote a review after the first message."""

    vip: Went
    other: Went
    reviewer: Went

    @property
    def is_right(self) -> bool:
        """Whether each got what was theirs, once, and left for their own reason."""
        return (
            (self.vip.arrived, self.vip.because) == (("gift", "return", "thanks"), "ended")
            and (self.other.arrived, self.other.because) == (("return", "thanks"), "ended")
            and (self.reviewer.arrived, self.reviewer.because) == (("thanks",), "goal")
        )

    @property
    def all(self) -> Sequence[Went]:
        """The three."""
        return (self.vip, self.other, self.reviewer)


@dataclass(frozen=True)
class ByItself:
    """Lets three customers go through it, and removes it afterwards."""

    rebound: Rebound
    progress: Progress
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    run: str

    def __call__(self, vip: Customer, other: Customer, reviewer: Customer) -> Passed:
        """From the first message until everybody has left."""
        self.rebound.put_sequence(self._id, SEQUENCE)
        try:
            for each in (vip, other, reviewer):
                self.rebound.enrol(self._id, each.customer_id, self.run)
            self._until(lambda: bool(self._arrived(reviewer)), "the first message")
            at = datetime.now(UTC).isoformat()
            review = {"event_id": f"demo-review-{self.run}", "kind": "review", "rating": 5, "at": at}
            self.rebound.tell([{**review, "customer_id": reviewer.customer_id}])
            self._until(
                lambda: (
                    all(self._went(each).because for each in (vip, other, reviewer))
                    and all("return" in self._arrived(each) for each in (vip, other))
                ),
                "the end",
            )
            passed = Passed(*map(self._went, (vip, other, reviewer)))
        finally:
            self.rebound.remove_sequence(self._id)
        self.progress.done(f"{', '.join(each.name for each in passed.all)} have been through it")
        return passed

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        started = self.clock()
        while not holds():
            if self.clock() - started >= LIMIT_SECONDS:
                raise DemoError(f"The sequence has not come to {what} after {LIMIT_SECONDS:.0f} seconds.")
            self.progress.update(f"waiting for {what}")
            self.sleep(_POLL_SECONDS)

    def _went(self, who: Customer) -> Went:
        sentence, because = self.rebound.where(self._id, who.customer_id)
        return Went(who.name, self._arrived(who), sentence, because)

    def _arrived(self, who: Customer) -> tuple[str, ...]:
        return tuple(sorted(self.rebound.arrived(self._id, who.customer_id, _ARRIVED)))

    @property
    def _id(self) -> str:
        return SEQUENCE_ID.format(run=self.run)
