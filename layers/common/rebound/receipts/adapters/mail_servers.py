"""What the recipient's mail server said about a bounce, in enhanced status codes (RFC 3463), beside SES's own label.

SES's label is a guess from the server's answer, so the answer goes first where there is one. What a status means is a
row of the provider's codes: ``smtp/5.1.1`` for one status, ``smtp/5.7`` for all of a subject, ``smtp/4`` for all of a
class. A status without a row leaves the label as it is.
"""

import re
from collections.abc import Iterator
from typing import Final

from rebound.kernel.provider_codes import FailureClass, Provider, ProviderCode, look_up

NO_REPORT: Final = "Transient/General/NoReport"
"""The code of a bounce of ``Transient/General`` that came without a report, as SES tells of an out-of-office answer."""

_STATUS: Final = r"(?P<{}>[245]\.(?:0|[1-9]\d{{0,2}})\.(?:0|[1-9]\d{{0,2}}))(?!\d|\.\d)"
_STATUS_FIELD: Final = re.compile(r"\s*" + _STATUS.format("status"))
_DIAGNOSTIC: Final = re.compile(
    rf"\s*smtp\s*;\s*(?:(?P<reply>[245]\d\d)(?!\d)[\s-]*)?(?:\#?{_STATUS.format('status')})?", re.IGNORECASE
)
"""The type of the code (RFC 3464, 2.3.6), the reply code (RFC 5321) and the enhanced one (RFC 2034), if any."""
_SES_OWN: Final = frozenset({FailureClass.PROVISIONAL, FailureClass.OPTED_OUT})
"""Labels of what SES itself did not try: no mail server was asked."""
_UNDEFINED: Final = re.compile(r"\d\.0\.0")


def code_of_bounce(label: str, status: str | None, diagnostic: str | None) -> str:
    """The code for a bounce that SES labels so (``type/subtype``), with what its recipient's record says.

    A server's word counts only where ``diagnostic`` is one of SMTP: SES writes statuses of its own elsewhere. When the
    status, the reply code and the text disagree, the one that says least against the address holds. A status that names
    the address goes before any label; one that blames somebody else only before a label that blames the address.
    """
    if label == "Transient/General" and not (status or diagnostic):
        return NO_REPORT
    answer = _DIAGNOSTIC.match(diagnostic or "")
    by_label = look_up(Provider.SES, label)
    if answer is None or by_label.failure_class in _SES_OWN:
        return label
    by_server = _agreed([code for code in (answer["status"], _status(status)) if code], answer["reply"])
    if by_server is None:
        return label
    if by_server.failure_class is FailureClass.INVALID:
        known = by_label.failure_class is FailureClass.INVALID and not by_label.recoverable
        return label if known else by_server.code
    agrees = by_server.recoverable and by_label.recoverable
    return by_server.code if by_label.failure_class.is_about_the_address and not agrees else label


def _agreed(statuses: list[str], reply: str | None) -> ProviderCode | None:
    """The row that all words of the server allow; ``None`` when they have none, or say something without a row."""
    if any(word.startswith("4") for word in (*statuses, reply or "")):
        return look_up(Provider.SES, "smtp/4")
    rows = [_row(status) for status in statuses if not _UNDEFINED.fullmatch(status)]
    for row in rows:
        if row is not None and row.failure_class is not FailureClass.INVALID:
            return row
    return rows[0] if rows and None not in rows else None


def _row(status: str) -> ProviderCode | None:
    """The row of a status, or else of its subject or class."""
    rows = (look_up(Provider.SES, f"smtp/{part}") for part in _wider(status))
    return next((row for row in rows if row.failure_class is not FailureClass.UNKNOWN), None)


def _wider(status: str) -> Iterator[str]:
    while status:
        yield status
        status = status.rpartition(".")[0]


def _status(field: str | None) -> str | None:
    found = _STATUS_FIELD.match(field or "")
    return found["status"] if found else None
