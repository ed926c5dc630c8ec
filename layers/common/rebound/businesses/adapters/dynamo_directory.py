"""The settings of the businesses, in the Directory table."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from rebound.businesses.adapters.stored_settings import read_settings, write_settings
from rebound.businesses.domain.business import Business
from rebound.businesses.domain.senders import SenderHolders, sender_key
from rebound.kernel.errors import ConflictError, NotFoundError
from rebound.kernel.pages import Page, first_page, read_cursor
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    as_read,
    transaction,
)

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition
    from pynamodb.transactions import TransactWrite

_SENT_FROM: Final = "business#"
LISTED: Final = "#businesses"
"""Partition key, in place of a business id, of the list of all businesses; each has a row there under its own id."""


class DynamoBusinessDirectory(Directory):
    """Implements ``BusinessDirectory``."""

    kind = "settings"

    def get(self, business_id: str) -> Business:
        try:
            row = self.row.get(business_id, self.entry(""), consistent_read=True)
        except self.row.DoesNotExist:
            raise NotFoundError("business") from None
        return _read(row)

    def add(self, business: Business, holders: Sequence[SenderHolders] = ()) -> None:
        if self.get_document(business.business_id) is not None:
            raise ConflictError("business_id_taken", "There is a business with this id already.")
        with transaction(self.row) as writes:
            self._write(writes, business, DirectoryRow.entry_id.does_not_exist(), holders)

    def replace(self, business: Business, holders: Sequence[SenderHolders] = ()) -> None:
        with transaction(self.row) as writes:
            self.replace_within(writes, business, holders)

    def replace_within(self, writes: TransactWrite, business: Business, holders: Sequence[SenderHolders] = ()) -> None:
        """``BusinessDirectory.replace`` as a part of a larger transaction."""
        # Settings that were written before rows had a version have none until they are written again.
        condition = DirectoryRow.entry_id.exists() & as_read(DirectoryRow, business.version)
        self._write(writes, business, condition, holders)

    def _write(
        self, writes: TransactWrite, business: Business, condition: Condition, holders: Sequence[SenderHolders]
    ) -> None:
        """Write the settings, the holders and, for good, the rows that lead from list and ``text_from`` to them."""
        row = self.row(
            business.business_id,
            self.entry(""),
            document=write_settings(business),
            version=business.version + 1,
        )
        writes.save(row, condition=condition)
        writes.save(self.row(LISTED, business.business_id, document={"name": business.name}))
        if business.text_from is not None:
            writes.save(self.row(*_sender_keys(business.text_from, business.business_id), document={}))
        for held in holders:
            document = {"business_ids": held.business_ids}
            kept = self.row(*_holders_keys(held.sender), document=document, version=held.version + 1)
            writes.save(kept, condition=as_read(DirectoryRow, held.version))

    def sender_holders(self, sender: str) -> SenderHolders:
        try:
            row = self.row.get(*_holders_keys(sender), consistent_read=True)
        except self.row.DoesNotExist:
            return SenderHolders(sender)
        return SenderHolders(sender, tuple(row.document["business_ids"]), int(row.version))

    def having_sent_from(self, senders: Collection[str]) -> Sequence[Business]:
        found = {
            row.entry_id.removeprefix(_SENT_FROM)
            for sender in senders
            for row in self.row.query(
                _sender_keys(sender)[0], DirectoryRow.entry_id.startswith(_SENT_FROM), consistent_read=True
            )
        }
        return [self.get(business_id) for business_id in sorted(found)]

    def page(self, limit: int, cursor: str | None, q: str | None = None) -> Page[Business]:
        after = read_cursor(cursor, re.compile(r"[A-Za-z0-9_-]{1,64}"))
        wanted = (q or "").casefold()
        rows = self.row.query(
            LISTED,
            DirectoryRow.entry_id > after if after else None,
            # Of those that are looked through, as many as a request takes.
            page_size=None if wanted else limit + 1,
            consistent_read=True,
        )
        found = (row for row in rows if wanted in row.document["name"].casefold() or wanted in row.entry_id)
        page = first_page(found, limit, lambda row: row.entry_id)
        keys = [(row.entry_id, self.entry("")) for row in page.items]
        businesses = map(_read, self.row.batch_get(keys, consistent_read=True))
        return Page(sorted(businesses, key=lambda business: business.business_id), page.next_cursor)

    def ids(self) -> Sequence[str]:
        wanted = DirectoryRow.entry_id == self.entry("")
        return [row.business_id for row in self.row.scan(wanted, attributes_to_get=["business_id", "entry_id"])]


def _read(row: DirectoryRow) -> Business:
    return read_settings(row.document, business_id=row.business_id, version=int(row.version or 0))


def _sender_keys(sender: str, business_id: str = "") -> tuple[str, str]:
    """Instead of a business id, the partition key is a sender; the sort key names a business that has or had it."""
    return f"#sender#{sender}", f"{_SENT_FROM}{business_id}"


def _holders_keys(sender: str) -> tuple[str, str]:
    return f"#sender#{sender_key(sender)}", "holders"
