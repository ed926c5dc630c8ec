"""Messages to one customer: one that is made from a template, and texts that a plan has no room for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from local.demo.api import Customer, Rebound
from local.demo.confirmation import TEMPLATE, TEMPLATE_ID, variables_for
from local.demo.progress import Progress

type Operate = Callable[[Mapping[str, Any]], None]
"""Runs a command of whoever runs the stack, for this business."""

_UNDER_WAY: Final = ("queued", "sending", "sent")
_LIMIT_SECONDS: Final = 36.0
_POLL_SECONDS: Final = 1.0
_TEXT: Final = "Hi ##{{first_name}}, your colour appointment is tomorrow at ten."


@dataclass(frozen=True)
class Sent:
    """A message to one customer, and what became of it."""

    name: str
    address: str
    channel: str
    status: str

    def __str__(self) -> str:
        return f"{self.channel} {self.status}"

    @property
    def arrived(self) -> bool:
        """Whether it was delivered."""
        return self.status == "delivered"

    def arrived_by(self, channel: str) -> bool:
        """Whether it was delivered on a channel."""
        return self.arrived and self.channel == channel


@dataclass(frozen=True)
class FellBack:
    """Two texts of which a plan had room for one."""

    within: Sent
    after: Sent


@dataclass(frozen=True)
class SingleMessages:
    """Sends them one by one and waits for the final word about each."""

    rebound: Rebound
    operate: Operate
    progress: Progress
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def confirm(self, who: Customer) -> Sent:
        """Save the template, and send a confirmation that is made from it."""
        self.rebound.save_template(TEMPLATE_ID, TEMPLATE)
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
        given = {"template_id": TEMPLATE_ID, "variables": variables_for(tomorrow)}
        return self._sent(who, "email", given)

    def run_out_of_texts(self, who: Customer) -> FellBack:
        """Send two texts under a plan with room for one more; afterwards there is no plan, as before."""
        self.operate({"command": "set-text-plan", "included": 1})
        used = self.rebound.texts_used()
        if used:
            # An earlier run on this stack has had its text of the month.
            self.operate({"command": "set-text-plan", "included": used + 1})
        try:
            within, after = (self._sent(who, "sms", {"content": {"body": _TEXT}}) for _ in range(2))
        finally:
            self.operate({"command": "set-text-plan", "off": True})
        return FellBack(within, after)

    def _sent(self, who: Customer, channel: str, said: Mapping[str, Any]) -> Sent:
        message = self.rebound.send(who.customer_id, "transactional", channel, said)
        started = self.clock()
        while message.status in _UNDER_WAY and self.clock() - started < _LIMIT_SECONDS:
            self.progress.update("waiting for the final word about it")
            self.sleep(_POLL_SECONDS)
            message = self.rebound.message(message.message_id)
        self.progress.done(f"{who.name}, by {'email' if message.channel == 'email' else 'text'}: {message.status}")
        return Sent(who.name, message.address or "", message.channel, message.status)
