"""What a message counts as in its campaign: the labels that are counted as messages change.

A label is a status, or ``excluded:<reason>``; each message has at most one of these, so that their counts add up (truth
9). A message may also have markers, which say more about it for the breaker and are shown to nobody. A marker belongs
to the window of the campaign in which the message was handed over, because messages sent before a resume say nothing
about whether the cause of the pause is gone. What was handed over has one more label, its status with the span of time
since which it has that (``spans``): of each status, these add up to its count. So do those by variant, of a campaign
with variants; of whoever was left out, one more label says only of which variant.
"""

from typing import Final

from rebound.kernel.provider_codes import FailureClass, Provider, look_up
from rebound.messages.domain.messages import HELD_OUT, MessageStatus
from rebound.messages.domain.spans import WHEN

FINAL: Final = "final"
"""The message has a final status."""


FAULT: Final = "fault"
"""The message failed through the sender's own fault, or because of its content."""


HARD_BOUNCE: Final = "hard_bounce"
"""The message bounced for good, as SES counts hard bounces; a full mailbox is not one."""


FELL_BACK: Final = "fell_back"
"""The message goes by email in place of a text. It says nothing to the breaker, and is told beside the results."""


REACHED: Final = "reached"
"""The recipient has reached the campaign's goal; of those who were held out, ``REACHED_ANYWAY``."""


REACHED_ANYWAY: Final = f"{REACHED}:{HELD_OUT}"
OPTED_OUT: Final = "opted_out"
"""The recipient wants no more such messages, and said so by this one; counted by variant alone."""


_NOT_COUNTED: Final = frozenset({MessageStatus.QUEUED, MessageStatus.SENDING})
"""Statuses before the hand-over, which have no label: targeted messages that are not counted are queued."""


_FINAL: Final = frozenset({MessageStatus.DELIVERED, MessageStatus.BOUNCED, MessageStatus.FAILED})


_FAULTS: Final = frozenset({FailureClass.SENDER_FAULT, FailureClass.CONTENT})


_PERMANENT: Final = "Permanent/"


_SINCE: Final = "@"


_OF: Final = "~"


def labels_of(
    status: MessageStatus,
    *,
    reason: str | None = None,
    provider: Provider | None = None,
    code: str | None = None,
    window: int | None = None,
    fell_back: bool = False,
    span: int | None = None,
    variant: str | None = None,
    reached: bool = False,
    opted_out: bool = False,
) -> frozenset[str]:
    """The labels of a message with these fields; no status for one that has not been handed over.

    Who is left out in the end has not fallen back. Only what was handed over is counted by its ``span``.
    """
    of_variant = () if variant is None else _of_variant(status, variant, reached=reached, opted_out=opted_out)
    if status is MessageStatus.EXCLUDED:
        anyway = {REACHED_ANYWAY} if reached and reason == HELD_OUT else set[str]()
        return frozenset({f"{status}:{reason}", *of_variant, *anyway})
    marked = frozenset({FELL_BACK}) if fell_back else frozenset[str]()
    if status in _NOT_COUNTED:
        return marked
    labels = {*marked, str(status), *of_variant}
    if reached and status in WHEN:
        labels.add(REACHED)
    if span is not None and status in WHEN:
        labels.add(in_span(status, span))
    if status not in _FINAL:
        return frozenset(labels)
    labels.add(in_window(FINAL, window))
    if status is not MessageStatus.DELIVERED and provider is not None:
        failure_class = look_up(provider, code).failure_class
        if failure_class in _FAULTS:
            labels.add(in_window(FAULT, window))
        elif failure_class is FailureClass.INVALID and provider is Provider.SES and (code or "").startswith(_PERMANENT):
            labels.add(in_window(HARD_BOUNCE, window))
    return frozenset(labels)


def _of_variant(status: MessageStatus, variant: str, *, reached: bool, opted_out: bool) -> frozenset[str]:
    """The labels of a message of a variant that say so."""
    if status in _NOT_COUNTED:
        return frozenset()
    told = {str(status), *((REACHED,) if reached and status in WHEN else ()), *((OPTED_OUT,) if opted_out else ())}
    return frozenset(in_variant(each, variant) for each in told)


def counts_for_breaker(label: str) -> bool:
    """Whether the breaker should look when such a label is counted."""
    return label.partition("#")[0] in {FAULT, HARD_BOUNCE}


def in_window(marker: str, window: int | None) -> str:
    """The label of a marker in one window of its campaign."""
    return f"{marker}#{window}" if window else marker


def in_span(status: str, span: int) -> str:
    """The label of those that have a status since one span of time."""
    return f"{status}{_SINCE}{span}"


def read_span(label: str) -> tuple[str, int] | None:
    """Status and span of a label that ``in_span`` made; ``None`` for any other."""
    status, since, span = label.partition(_SINCE)
    return (status, int(span)) if since and _OF not in status else None


def in_variant(what: str, variant: str) -> str:
    """The label of those of one variant of whom something is true."""
    return f"{what}{_OF}{variant}"


def read_variant(label: str) -> tuple[str, str] | None:
    """What is true and the variant, of a label that ``in_variant`` made; ``None`` for any other."""
    what, of, variant = label.partition(_OF)
    return (what, variant) if of else None
