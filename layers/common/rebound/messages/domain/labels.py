"""What a message counts as in its campaign: the labels that are added up as messages change.

A label is a status, or ``excluded:<reason>``; each message has at most one of these, so that they add up to everybody
(truth 9). Beside them stand markers, which say more about the same message and are shown to nobody: they are what the
breaker looks at. Markers belong to the window of the campaign in which the message was handed over, because what was
sent before a resume says nothing about whether its cause is gone.
"""

from typing import Final

from rebound.kernel.provider_codes import FailureClass, Provider, look_up
from rebound.messages.domain.messages import MessageStatus

FINAL: Final = "final"
"""There is a final word on the message."""


FAULT: Final = "fault"
"""It failed through the sender's own fault, or for its content."""


HARD_BOUNCE: Final = "hard_bounce"
"""It came back as SES counts hard bounces: for good. A full mailbox is none."""


_NOT_COUNTED: Final = frozenset({MessageStatus.QUEUED, MessageStatus.SENDING})
"""Not handed over: what is targeted and not counted is queued."""


_FINAL: Final = frozenset({MessageStatus.DELIVERED, MessageStatus.BOUNCED, MessageStatus.FAILED})


_FAULTS: Final = frozenset({FailureClass.SENDER_FAULT, FailureClass.CONTENT})


_PERMANENT: Final = "Permanent/"


def labels_of(
    status: MessageStatus,
    *,
    reason: str | None = None,
    provider: Provider | None = None,
    code: str | None = None,
    window: int | None = None,
) -> frozenset[str]:
    """The labels of a message with these fields; none for one that has not been handed over."""
    if status in _NOT_COUNTED:
        return frozenset()
    if status is MessageStatus.EXCLUDED:
        return frozenset({f"{status}:{reason}"})
    if status not in _FINAL:
        return frozenset({str(status)})
    labels = {str(status), in_window(FINAL, window)}
    if status is not MessageStatus.DELIVERED and provider is not None:
        failure_class = look_up(provider, code).failure_class
        if failure_class in _FAULTS:
            labels.add(in_window(FAULT, window))
        elif failure_class is FailureClass.INVALID and provider is Provider.SES and (code or "").startswith(_PERMANENT):
            labels.add(in_window(HARD_BOUNCE, window))
    return frozenset(labels)


def counts_for_breaker(label: str) -> bool:
    """Whether the breaker should look when such a label is counted."""
    return label.partition("#")[0] in {FAULT, HARD_BOUNCE}


def in_window(marker: str, window: int | None) -> str:
    """The label of a marker in one window of its campaign."""
    return f"{marker}#{window}" if window else marker
