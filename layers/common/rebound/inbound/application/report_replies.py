"""The report of text replies: what customers texted, filtered, and who the customers are."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rebound.contacts.domain.contacts import Contact
from rebound.contacts.domain.replies import Meaning, Reply
from rebound.customers.domain import Customer
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.csv_cells import defused
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.pages import Page
from rebound.kernel.search import NOTHING_SEEN, compile_search, is_unseen
from rebound.kernel.times import write_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from rebound.contacts.ports import ContactBook, ReplyBook
    from rebound.customers.ports import CustomerBook

MOST_CUSTOMERS: Final = 10
"""The most customers that are named for a number that several share."""
PAGE: Final = 100
MOST_BYTES: Final = 4_000_000
"""Bytes of texts in one answer, a page of rows more or less: Lambda answers with 6 MB at the most."""


class RepliesWanted(Struct, frozen=True):
    """Which replies to report: every condition that is given must hold. From ``since`` on, before ``until``.

    ``customer_id`` selects the numbers that this customer uses or used. ``q`` holds words; each must be in the text or
    in the number, in any case. ``needs_staff`` selects the replies that wait for staff to read them, or all others.
    """

    since: datetime | None = None
    until: datetime | None = None
    meaning: Meaning | None = None
    customer_id: str | None = None
    q: str | None = None
    needs_staff: bool | None = None


class ReplyView(Struct, frozen=True):
    """A reply and customers who use or used the number; the one known to have sent it comes first."""

    reply: Reply
    customers: tuple[Customer, ...]


class ReportReplies(Struct, frozen=True, kw_only=True):
    """The replies to one business at a time."""

    replies: ReplyBook
    customers: CustomerBook
    contacts: ContactBook

    def __call__(self, business_id: str, wanted: RepliesWanted, limit: int, cursor: str | None) -> Page[ReplyView]:
        """A page of replies, the latest first; it may be short or empty and still have a cursor.

        Raises ``NotFoundError`` when there is no such customer, and ``InvalidInputError`` for an invalid cursor or
        ``q``.
        """
        page = self.replies.page(
            business_id,
            limit,
            cursor,
            since=wanted.since,
            until=wanted.until,
            matching=self._matching(business_id, wanted),
        )
        return Page(self.views(business_id, page.items), page.next_cursor)

    def file(
        self, business_id: str, wanted: RepliesWanted, limit: int, cursor: str | None
    ) -> tuple[Iterable[ReplyView], str | None]:
        """The next rows of a file and the cursor after them: up to ``limit`` rows, or fewer if they fill an answer."""
        found: list[ReplyView] = []
        size = 0
        while True:
            page = self(business_id, wanted, min(PAGE, limit - len(found)), cursor)
            found.extend(page.items)
            size += sum(len((view.reply.body or "").encode()) for view in page.items)
            cursor = page.next_cursor
            if cursor is None or len(found) >= limit or size > MOST_BYTES or not page.items:
                return found, cursor

    def _matching(self, business_id: str, wanted: RepliesWanted) -> Callable[[Reply], bool] | None:
        tests: list[Callable[[Reply], bool]] = []
        if wanted.customer_id is not None:
            customer = self.customers.get(business_id, wanted.customer_id)
            own = {one for key in customer.all_contact_keys if key.channel is Channel.SMS for one in key.all_hashed}
            tests.append(lambda reply: reply.key in own)
        if wanted.meaning is not None:
            tests.append(lambda reply: reply.meaning is wanted.meaning)
        if wanted.needs_staff is not None:
            tests.append(lambda reply: reply.is_waiting is wanted.needs_staff)
        if wanted.q is not None:
            if is_unseen(wanted.q):
                raise InvalidInputError(FieldError("q", NOTHING_SEEN))
            search = compile_search(wanted.q)
            tests.append(lambda reply: search((reply.body or "",), (reply.number or "",)))
        return (lambda reply: all(test(reply) for test in tests)) if tests else None

    def views(self, business_id: str, replies: Sequence[Reply]) -> Sequence[ReplyView]:
        """Replies with who may have sent them, in their order: two reads for all of them."""
        contacts = self.contacts.get_many({reply.contact for reply in replies if reply.number is not None})
        users = [_users(reply, contacts) for reply in replies]
        known = self.customers.get_many(business_id, sorted({one for those in users for one in those}))
        return [
            ReplyView(reply, tuple(known[one] for one in those if one in known))
            for reply, those in zip(replies, users, strict=True)
        ]


def _users(reply: Reply, contacts: Mapping[ContactKey, Contact]) -> Sequence[str]:
    contact = contacts.get(reply.contact)
    users = sorted(contact.customer_ids) if contact is not None else []
    first = [reply.customer_id] if reply.customer_id is not None else []
    return list(dict.fromkeys([*first, *users]))[:MOST_CUSTOMERS]


# --- as a file --------------------------------------------------------------------------------------------------------

COLUMNS: Final = (
    "at",
    "number",
    "customers",
    "body",
    "kind",
    "keyword",
    "needs_staff",
    "resolved_at",
    "appointment_id",
    "message_id",
    "to",
    "reply_id",
)
_NUMBERS: Final = ("number", "to")


def write_header() -> str:
    """The header row of a file."""
    return _line(COLUMNS)


def write_reply(view: ReplyView) -> str:
    """A reply as one row, in which no cell is a formula; phone numbers (+ and digits) stay as they are."""
    reply = view.reply
    cells = {
        "at": write_time(reply.at),
        "number": reply.number,
        "customers": "; ".join(f"{who.first_name} {who.last_name}" for who in view.customers),
        "body": reply.body,
        "kind": reply.meaning,
        "keyword": reply.keyword,
        "needs_staff": "true" if reply.is_waiting else "false",
        "resolved_at": reply.resolved_at and write_time(reply.resolved_at),
        "appointment_id": reply.appointment_id,
        "message_id": reply.message_id,
        "to": reply.to,
        "reply_id": reply.reply_id,
    }
    return _line([defused(cells[name] or "", is_number=name in _NUMBERS) for name in COLUMNS])


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
