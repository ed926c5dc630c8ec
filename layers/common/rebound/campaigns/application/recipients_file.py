"""A campaign's messages as CSV, with who the customers are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rebound.kernel.csv_cells import defused
from rebound.kernel.times import write_time

if TYPE_CHECKING:
    from datetime import datetime

    from rebound.campaigns.application.read_recipients import Recipient

COLUMNS: Final = (
    "message_id",
    "customer_id",
    "external_id",
    "first_name",
    "last_name",
    "address",
    "status",
    "reason",
    "provider",
    "provider_code",
    "queued_at",
    "held_until",
    "sent_at",
    "final_at",
    "variant",
)


def write_header() -> str:
    """The header row of a file."""
    return _lines([COLUMNS])


def write_rows(recipients: Iterable[Recipient]) -> str:
    """A row for each message, in which no cell is a formula; a phone number (+ and digits) stays as it is."""
    return _lines(map(_cells, recipients))


def _cells(recipient: Recipient) -> list[str]:
    message, customer = recipient.message, recipient.customer
    own = (None, None, None) if customer is None else (customer.external_id, customer.first_name, customer.last_name)
    held_until = message.held_until if message.shown_status == "queued" else None
    return [
        message.key.message_id,
        message.key.customer_id,
        *map(_text, own),
        defused(message.shown_address or "", is_number=True),
        *map(_text, (message.shown_status, message.reason, message.provider, message.provider_code)),
        *map(_time, (message.queued_at, held_until, message.sent_at, message.final_at)),
        _text(message.variant),
    ]


def _text(value: str | None) -> str:
    return defused(value or "")


def _time(at: datetime | None) -> str:
    return "" if at is None else write_time(at)


def _lines(rows: Iterable[Iterable[str]]) -> str:
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    return lines.getvalue()
