"""Providers that answer by script: what an address does is what the test says it does."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rebound.kernel.provider_codes import Provider
from rebound.kernel.receipts import MessageKey
from rebound.sending.domain.handovers import Accepted, OutgoingEmail, SendResult

Taken = Callable[[MessageKey, str, str], None]
"""Told of each message that the provider has: its key, its address and the provider's id."""


@dataclass(frozen=True, slots=True)
class Handed:
    """One message that was handed to a provider, and the answer."""

    key: MessageKey
    to: str
    subject: str
    body: str
    result: SendResult
    went_out: bool


class _Script:
    """Answers by address; afterwards, and for other addresses, everything is accepted."""

    def __init__(self) -> None:
        self._answers: defaultdict[str, deque[tuple[SendResult, bool]]] = defaultdict(deque)
        self.handed: list[Handed] = []
        self.taken: list[Taken] = []

    def answer(self, address: str, *results: SendResult, went_out: bool = False) -> None:
        """What the next attempts at an address get; ``went_out`` says whether an unknown outcome was a send."""
        self._answers[address].extend((result, went_out) for result in results)

    def accept_everything(self) -> None:
        """Forget the answers that have not been given."""
        self._answers.clear()

    def hand(self, key: MessageKey, to: str, subject: str, body: str) -> SendResult:
        waiting = self._answers[to]
        result, went_out = waiting.popleft() if waiting else (Accepted(f"id-{len(self.handed) + 1}"), True)
        self.handed.append(Handed(key, to, subject, body, result, went_out or isinstance(result, Accepted)))
        if self.handed[-1].went_out:
            provider_id = result.provider_id if isinstance(result, Accepted) else f"lost-{len(self.handed)}"
            for tell in self.taken:
                tell(key, to, provider_id)
        return result

    @property
    def went_out(self) -> Counter[MessageKey]:
        """How often each message really went out."""
        return Counter(handed.key for handed in self.handed if handed.went_out)

    @property
    def addresses(self) -> list[str]:
        """To whom something was handed, in order."""
        return [handed.to for handed in self.handed]


class ScriptedMailer(_Script):
    """Implements ``Mailer``."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.emails: list[OutgoingEmail] = []
        """All that were handed over, as they were."""

    def send(self, sender: str, emails: Sequence[OutgoingEmail]) -> Sequence[SendResult]:
        if len(emails) > 50:
            raise ValueError("at most 50 emails a call")
        self.calls += 1
        self.emails.extend(emails)
        return [self.hand(email.key, email.to, email.content.subject, email.content.text) for email in emails]


class ScriptedTexter(_Script):
    """Implements ``Texter``."""

    def __init__(self, provider: Provider = Provider.TWILIO) -> None:
        super().__init__()
        self._provider = provider
        self.validities: list[timedelta | None] = []
        """How long each text was to be of use, in order."""

    @property
    def provider(self) -> Provider:
        return self._provider

    def send(
        self, sender: str | None, key: MessageKey, to: str, body: str, valid_for: timedelta | None = None
    ) -> SendResult:
        self.validities.append(valid_for)
        return self.hand(key, to, "", body)
