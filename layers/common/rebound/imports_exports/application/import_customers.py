"""Importing customers from CSV or JSON Lines: good rows go in, each bad row is reported with its line and reason.

An import of any size runs in three steps. The *splitting* reads the file once, from end to end and in constant memory,
and divides its rows into parts; an import whose file cannot be read ends there, and has changed nothing. The *parts*
are imported at the same time. The *closing* removes the parts and says that the import is done. Each step may die, run
out of time and come again at any moment, and goes on where it stopped.

All rows about one customer are in one part, in the order of the file, and only the last good one of them holds: the
earlier ones change nothing, not even for a moment, and opt nobody out. Otherwise a list that names a customer twice
with two addresses would move the customer back and forth on every import, and clear the flags of both addresses.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from hashlib import sha256
from itertools import batched, islice
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact
from rebound.customers.application.copy_flags import with_flags
from rebound.customers.application.customer_service import checked_profile, id_of_external, linked
from rebound.customers.application.moves import left_behind
from rebound.customers.domain import Customer
from rebound.imports_exports.application.customer_files import CONSENT_COLUMNS, UnreadableFileError, read_rows
from rebound.imports_exports.application.stated_opt_outs import checked_opt_outs
from rebound.imports_exports.domain import (
    BadRow,
    ImportFile,
    ImportJob,
    PartProgress,
    RowCounts,
    Splitting,
)
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import FieldError, InvalidInputError, NotFoundError
from rebound.kernel.retrying import retried
from rebound.kernel.written_text import is_one_line, tidied

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import AddressReader, ContactBook
    from rebound.customers.application.copy_flags import CopyFlags
    from rebound.customers.ports import CustomerBook
    from rebound.imports_exports.application.customer_files import Row
    from rebound.imports_exports.ports import FileRunner, ImportBook, ImportLedger, ImportStore
    from rebound.platform.ports import Clock, Ids, Patience

BATCH: Final = 19
"""Rows of one transaction, each a customer and two new contacts of two writes: with the progress 96 of 100 writes."""
MOST_ROWS: Final = 99
"""Besides the progress. A batch whose customers leave many contacts for others is written in two."""
MAX_ERRORS: Final = 500
"""Bad rows shown with the import; further ones are only counted."""
ATTEMPTS: Final = 10
"""How often a batch is tried while others write its contacts: those of a family may be in several parts."""
PART_BYTES: Final = 512 * 1024
"""Bytes of the file for each part: some thousand rows."""
MAX_PARTS: Final = 40
"""The most that a state machine runs at the same time."""
PIECE_BYTES: Final = 4 * 1024 * 1024
"""Bytes of rows held in memory before they are written, as one piece of each part."""
STOPPED: Final = (
    "Something failed on our side before the import was done. Rows that are counted are in; import the file again for "
    "the others."
)


class ImportView(Struct, frozen=True):
    """An import with what has become of its rows so far."""

    job: ImportJob
    counts: RowCounts
    bad_rows: Sequence[BadRow]


class StartImport(Struct, frozen=True, kw_only=True):
    """Accepts an import, with its content or for an upload, and tells how it is getting on."""

    imports: ImportBook
    ledger: ImportLedger
    store: ImportStore
    businesses: BusinessDirectory
    clock: Clock
    ids: Ids

    def __call__(self, business_id: str, format_: str, content: str | None) -> tuple[ImportView, str | None]:
        """The import and, when no content came along, the URL to PUT the file to."""
        self.businesses.get(business_id)
        now = self.clock.now()
        status = "queued" if content is not None else "awaiting_upload"
        job = ImportJob(business_id, self.ids.ulid(now), format_, status, created_at=now)
        self.imports.save(job)
        view = ImportView(job, RowCounts(), ())
        if content is None:
            return view, self.store.upload_url(business_id, job.import_id)
        self.store.put(business_id, job.import_id, content)
        return view, None

    def get(self, business_id: str, import_id: str) -> ImportView:
        """The import as it is now. Raises ``NotFoundError``."""
        job = self.imports.get(business_id, import_id)
        return ImportView(job, self.ledger.counts(import_id), self.ledger.bad_rows(import_id, MAX_ERRORS))


class BeginImport(Struct, frozen=True, kw_only=True):
    """Starts an import when its file has arrived."""

    imports: ImportBook
    runner: FileRunner

    def __call__(self, business_id: str, import_id: str) -> bool:
        """Start the import; a second arrival starts nothing. Returns whether there is such an import."""
        try:
            self.imports.get(business_id, import_id)
        except NotFoundError:
            return False
        self.runner.start(business_id, import_id)
        return True


class SplitImport(Struct, frozen=True, kw_only=True):
    """First step: divides a file into parts, by customer.

    The borders between the pieces follow from the file alone, so a splitting that died writes the same pieces again. A
    file that is replaced meanwhile is read from its beginning.
    """

    imports: ImportBook
    store: ImportStore
    part_bytes: int
    piece_bytes: int

    def __call__(self, business_id: str, import_id: str, may_go_on: Callable[[], bool]) -> Sequence[int] | None:
        """Read on while there is time; returns the parts' numbers, none if it has ended, or ``None`` for later."""
        job = self.imports.get(business_id, import_id)
        if job.status == "completed":
            return ()
        job = replace(job, status="running", failure=None)
        if job.splitting is not None and job.splitting.done:
            self.imports.save(job)
            return range(job.splitting.parts)
        splitting, file = self._opened(job)
        rows = read_rows(file.content, job.format, splitting.place)
        try:
            for after in self._written(job, splitting, rows):
                splitting = after
                self.imports.save(replace(job, splitting=splitting))
                if not splitting.done and not may_go_on():
                    return None
        except UnreadableFileError as error:
            self.imports.save(replace(job, status="failed", failure=str(error), splitting=None))
            # The piece that was being filled when the error came up has not been written.
            self.store.remove_pieces(business_id, import_id, splitting.parts, splitting.pieces)
            return ()
        return range(splitting.parts)

    def _opened(self, job: ImportJob) -> tuple[Splitting, ImportFile]:
        """How far the file has been divided, and the file from there on."""
        before = job.splitting
        file = self.store.open(job.business_id, job.import_id, before.place.offset if before else 0)
        if before is not None and before.version == file.version:
            return before, file
        if before is not None:
            # One more piece of each part than the job counts may have been written.
            self.store.remove_pieces(job.business_id, job.import_id, before.parts, before.pieces + 1)
            file = self.store.open(job.business_id, job.import_id)
        return Splitting(max(1, min(MAX_PARTS, -(-file.size // self.part_bytes))), file.version), file

    def _written(self, job: ImportJob, splitting: Splitting, rows: Iterator[Row]) -> Iterator[Splitting]:
        """Write the rows; yields how far the splitting is after each piece."""
        parts = [bytearray() for _ in range(splitting.parts)]
        size = 0
        for row in rows:
            customer_id = _customer_of(job, row)
            record = _write_row(row, customer_id)
            parts[int(customer_id, 16) % splitting.parts] += record
            size += len(record)
            splitting = replace(splitting, place=row.place, rows=splitting.rows + 1)
            if size >= self.piece_bytes:
                splitting = self._put(job, splitting, parts)
                size = 0
                yield splitting
        yield replace(self._put(job, splitting, parts), done=True)

    def _put(self, job: ImportJob, splitting: Splitting, parts: Sequence[bytearray]) -> Splitting:
        for part, content in enumerate(parts):
            self.store.put_piece(job.business_id, job.import_id, part, splitting.pieces, bytes(content))
            content.clear()
        return replace(splitting, pieces=splitting.pieces + 1)


class ImportCustomers(Struct, frozen=True, kw_only=True):
    """Second step: imports one part. Running it again goes on after the rows that are done.

    A row whose ``external_id`` or ``customer_id`` is known updates that customer. Only an address that differs from the
    customer's present one is evidence, so importing the same list again clears no flag. A row may opt its addresses
    out but never in; an opt-out that is in force already is not stated again.
    """

    imports: ImportBook
    ledger: ImportLedger
    store: ImportStore
    customers: CustomerBook
    contacts: ContactBook
    businesses: BusinessDirectory
    addresses: AddressReader
    clock: Clock
    patience: Patience
    copy_flags: CopyFlags

    def __call__(self, business_id: str, import_id: str, part: int, may_go_on: Callable[[], bool]) -> bool:
        """Import while there is time; returns whether the part is done."""
        job = self.imports.get(business_id, import_id)
        business = self.businesses.get(business_id)
        progress = self.ledger.get(import_id, part)
        holding = self._holding(job, part, business)
        left = islice(self._rows(job, part), progress.counts.rows, None)
        for rows in batched(left, BATCH, strict=False):
            if not may_go_on():
                return False
            progress = self._batch(business, job, progress, rows, holding)
        return True

    def _rows(self, job: ImportJob, part: int) -> Iterator[_Row]:
        for piece in range(job.splitting.pieces if job.splitting else 0):
            content = self.store.open_piece(job.business_id, job.import_id, part, piece)
            yield from map(_read_row, io.TextIOWrapper(content, encoding="ascii"))

    def _holding(self, job: ImportJob, part: int, business: Business) -> Mapping[str, int]:
        """For each customer with several rows, the line of the last good one."""
        once: set[str] = set()
        often: set[str] = set()
        for row in self._rows(job, part):
            (often if row.customer_id in once else once).add(row.customer_id)
        holding: dict[str, int] = {}
        for row in self._rows(job, part) if often else ():
            if row.customer_id in often and isinstance(self._read(row, business, job), _Wish):
                holding[row.customer_id] = row.line
        return holding

    def _read(self, row: _Row, business: Business, job: ImportJob) -> _Wish | BadRow:
        """The row's profile and opt-outs as they would be kept, or what is wrong with it."""
        if row.given is None:
            return BadRow(row.line, row.errors)
        given = {name: value for name, value in row.given.items() if name not in CONSENT_COLUMNS}
        wrong: list[FieldError] = []
        try:
            profile = checked_profile(given, business, self.addresses, creating=True)
        except InvalidInputError as error:
            wrong += error.errors
        try:
            opt_outs = checked_opt_outs(row.given, job)
        except InvalidInputError as error:
            wrong += error.errors
        return BadRow(row.line, tuple(wrong)) if wrong else _Wish(row.line, profile, opt_outs)

    def _batch(
        self,
        business: Business,
        job: ImportJob,
        progress: PartProgress,
        rows: Sequence[_Row],
        holding: Mapping[str, int],
    ) -> PartProgress:
        """Write rows and progress in one transaction; retried while others write the same customers or contacts."""
        bad: list[BadRow] = []
        good: dict[str, _Wish] = {}
        overridden = 0
        for row in rows:
            read = self._read(row, business, job)
            if isinstance(read, BadRow):
                bad.append(read)
            elif holding.get(row.customer_id, row.line) != row.line:
                overridden += 1
            else:
                good[row.customer_id] = read

        def write() -> tuple[_Changes, PartProgress] | None:
            changes = self._changes(business, good)
            if changes.rows > MOST_ROWS and len(rows) > 1:
                return None
            return changes, self._commit(progress, changes, [*bad, *changes.bad], len(rows), overridden)

        written = retried(write, attempts=ATTEMPTS, lost=self.patience.wait)
        if written is None:
            half = len(rows) // 2
            progress = self._batch(business, job, progress, rows[:half], holding)
            return self._batch(business, job, progress, rows[half:], holding)
        changes, after = written
        if changes.customers and self.businesses.get(business.business_id).policy != business.policy:
            # The flags follow the policy read at the start; ``RecopyFlags`` may have passed these customers already.
            self.copy_flags(business.business_id, changes.customers)
        return after

    def _commit(
        self, progress: PartProgress, changes: _Changes, bad: Sequence[BadRow], rows: int, overridden: int
    ) -> PartProgress:
        reported = sorted(bad, key=lambda row: row.line)[: max(0, MAX_ERRORS - progress.reported)]
        counts = RowCounts(rows, changes.created, changes.updated, changes.unchanged + overridden, len(bad))
        after = replace(progress, counts=progress.counts + counts, reported=progress.reported + len(reported))
        return self.ledger.commit(after, changes.customers, changes.contacts, reported)

    def _changes(self, business: Business, rows: Mapping[str, _Wish]) -> _Changes:
        """What rows, no two of them about one customer, change on customers and contacts as they are now."""
        now = self.clock.now()
        stored = self.customers.get_many(business.business_id, list(rows), as_of_now=True)
        wanted: dict[str, Customer] = {}
        bad: list[BadRow] = []
        for customer_id, wish in rows.items():
            before = stored.get(customer_id)
            if before is None:
                wanted[customer_id] = Customer(
                    business_id=business.business_id,
                    customer_id=customer_id,
                    created_at=now,
                    updated_at=now,
                    **wish.profile,
                )
                continue
            after = before.changed(now, **wish.profile)
            if after.external_id != before.external_id:
                wrong = FieldError("external_id", "Cannot be changed: this customer has another.")
                bad.append(BadRow(wish.line, (wrong,)))
            else:
                wanted[customer_id] = before if replace(after, updated_at=before.updated_at) == before else after
        changed = [before for id_, before in stored.items() if wanted.get(id_, before) is not before]
        known = self.contacts.get_many({key for who in (*wanted.values(), *changed) for key in who.contact_keys})
        contacts = dict(known)
        written: list[Customer] = []
        counts = Counter[str]()
        for customer_id, customer in wanted.items():
            before = stored.get(customer_id)
            is_as_stored = customer is before
            try:
                used = (
                    contacts
                    if is_as_stored
                    else {k: _used(contacts[k], customer, before) for k in customer.contact_keys}
                )
                opted_out = _opted_out(used, customer, rows[customer_id].opt_outs)
            except InvalidInputError as error:
                bad.append(BadRow(rows[customer_id].line, error.errors))
                continue
            counts["created" if before is None else "updated" if opted_out or not is_as_stored else "unchanged"] += 1
            contacts |= {**used, **opted_out}
            if not is_as_stored:
                written.append(customer)
        for customer in written:
            contacts |= left_behind(stored.get(customer.customer_id), customer, known, contacts, business.policy)
        return _Changes(
            [with_flags(customer, contacts, business.policy) for customer in written],
            [contact for key, contact in contacts.items() if contact != known[key]],
            bad,
            created=counts["created"],
            updated=counts["updated"],
            unchanged=counts["unchanged"],
        )


class CloseImport(Struct, frozen=True, kw_only=True):
    """Last step: says how the import has ended, and removes the parts."""

    imports: ImportBook
    store: ImportStore

    def complete(self, business_id: str, import_id: str) -> None:
        """Complete the import: all parts are in. An import whose file could not be read stays failed."""
        job = self.imports.get(business_id, import_id)
        if job.splitting is not None:
            self.imports.save(replace(job, status="completed", failure=None))
            self.store.remove_pieces(business_id, import_id, job.splitting.parts, job.splitting.pieces)

    def fail(self, business_id: str, import_id: str) -> None:
        """Fail for a reason on our side. The parts stay for a while: a new run goes on where this one stopped."""
        job = self.imports.get(business_id, import_id)
        if job.status != "completed":
            self.imports.save(replace(job, status="failed", failure=STOPPED))


class _Row(Struct, frozen=True):
    """A row as it stands in a part."""

    line: int
    customer_id: str
    given: Mapping[str, Any] | None
    errors: tuple[FieldError, ...]


class _Wish(Struct, frozen=True):
    """What a good row asks for."""

    line: int
    profile: Mapping[str, Any]
    opt_outs: Mapping[Channel, Sequence[ConsentEvidence]]


class _Changes(Struct, frozen=True):
    """What a batch of rows changes, and those of the rows that turn out to be bad."""

    customers: Sequence[Customer]
    contacts: Sequence[Contact]
    bad: Sequence[BadRow]
    created: int
    updated: int
    unchanged: int

    @property
    def rows(self) -> int:
        """The most rows of a transaction that these take."""
        return len(self.customers) + sum(1 if contact.version else 2 for contact in self.contacts)


def _customer_of(job: ImportJob, row: Row) -> str:
    """The id of the customer whom a row is about: by its external id, by its customer id, else an id of its own.

    An id of its own follows from the import and the row's line, so a row that is imported again makes no new customer.
    """
    external_id = tidied((row.given or {}).get("external_id") or "")
    if external_id and is_one_line(external_id):
        return id_of_external(job.business_id, external_id)
    if row.customer_id is not None:
        return row.customer_id
    return sha256(f"{job.business_id}\x1f{job.import_id}\x1f{row.line}".encode()).hexdigest()[:32]


def _write_row(row: Row, customer_id: str) -> bytes:
    error = [row.error.field, row.error.message] if row.error else None
    # ASCII with escapes, because half a surrogate pair is valid JSON and cannot be encoded otherwise.
    return json.dumps([row.line, customer_id, row.given, error], separators=(",", ":")).encode() + b"\n"


def _read_row(record: str) -> _Row:
    line, customer_id, given, error = json.loads(record)
    return _Row(line, customer_id, given, (FieldError(*error),) if error else ())


def _opted_out(
    contacts: Mapping[ContactKey, Contact], customer: Customer, opt_outs: Mapping[Channel, Sequence[ConsentEvidence]]
) -> Mapping[ContactKey, Contact]:
    """The contacts with opt-outs that were not in force before. Raises ``InvalidInputError`` without an address."""
    opted_out: dict[ContactKey, Contact] = {}
    for channel, statements in opt_outs.items():
        key = customer.contact_key(channel)
        if statements and key is None:
            message = f"The customer has no {channel} address that it could be about."
            raise InvalidInputError(FieldError(f"{channel}_opted_out", message))
        if key is not None:
            contact = contacts[key]
            news = [statement for statement in statements if statement.scope not in contact.consent.opted_out]
            learnt = contact.with_evidence(*news)
            if learnt != contact:
                opted_out[key] = learnt
    return opted_out


def _used(contact: Contact, customer: Customer, before: Customer | None) -> Contact:
    """The contact as used by a customer, cleared when the customer has moved to it. Raises ``InvalidInputError``."""
    channel = contact.key.channel
    moved_here = before is not None and before.contact_key(channel) != contact.key
    return linked(contact, customer, [channel] if moved_here else [])
