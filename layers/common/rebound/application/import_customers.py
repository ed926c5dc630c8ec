"""Importing customers from CSV or JSON Lines: good rows go in, each bad row is reported with its line and reason."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import IO, Any, Final

from rebound.application.copy_flags import CopyFlags
from rebound.application.manage_customers import checked_profile, id_of_external, linked
from rebound.application.ports import (
    AddressReader,
    BusinessDirectory,
    Clock,
    ContactBook,
    CustomerBook,
    Ids,
    ImportBook,
    ImportJob,
    ImportStore,
)
from rebound.domain.business import Business
from rebound.domain.channels import Channel, ContactKey
from rebound.domain.contacts import Contact
from rebound.domain.customers import PROFILE_FIELDS, Customer
from rebound.domain.errors import ConcurrentChangeError, FieldError, InvalidInputError, ReboundError

FORMATS: Final = ("csv", "jsonl")
BATCH: Final = 20
"""Rows written in one transaction: with two new contacts each, of two writes each, the 100 writes it may hold."""
MAX_ERRORS: Final = 500
"""Errors kept with the import; further ones are counted only."""
ATTEMPTS: Final = 3
MAX_LINE: Final = 64 * 1024
TAG_SEPARATOR: Final = ";"


class UnreadableFileError(ReboundError):
    """The file as a whole cannot be read; the import fails with this reason."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the number of its first line, and its fields or what is wrong with it."""

    line: int
    given: Mapping[str, Any] | None
    error: FieldError | None = None


class StartImport:
    """Accepts an import, with its content or for an upload."""

    def __init__(
        self, imports: ImportBook, store: ImportStore, businesses: BusinessDirectory, clock: Clock, ids: Ids
    ) -> None:
        self._imports = imports
        self._store = store
        self._businesses = businesses
        self._clock = clock
        self._ids = ids

    def __call__(self, business_id: str, format_: str, content: str | None) -> tuple[ImportJob, str | None]:
        """The import and, when no content came along, the URL to PUT the file to."""
        self._businesses.get(business_id)
        now = self._clock.now()
        status = "queued" if content is not None else "awaiting_upload"
        job = ImportJob(business_id, self._ids.ulid(now), format_, status, created_at=now)
        self._imports.save(job)
        if content is None:
            return job, self._store.upload_url(business_id, job.import_id)
        self._store.put(business_id, job.import_id, content)
        return job, None

    def get(self, business_id: str, import_id: str) -> ImportJob:
        """Raises ``NotFoundError``."""
        return self._imports.get(business_id, import_id)


class ImportCustomers:
    """Runs an import. Running it again goes on where it stopped; a row is never two customers.

    A row whose ``external_id`` is known updates that customer. Only an address that differs from the customer's present
    one is evidence, so importing the same list again clears no flag.
    """

    def __init__(
        self,
        imports: ImportBook,
        store: ImportStore,
        customers: CustomerBook,
        contacts: ContactBook,
        businesses: BusinessDirectory,
        addresses: AddressReader,
        clock: Clock,
    ) -> None:
        self._imports = imports
        self._store = store
        self._customers = customers
        self._contacts = contacts
        self._businesses = businesses
        self._addresses = addresses
        self._clock = clock
        self._copy_flags = CopyFlags(customers, contacts, businesses)

    def __call__(self, business_id: str, import_id: str, may_go_on: Callable[[], bool]) -> bool:
        """Import while there is time; whether it is done."""
        job = self._imports.get(business_id, import_id)
        if job.status in ("completed", "failed"):
            return True
        business = self._businesses.get(business_id)
        job = replace(job, status="running")
        try:
            rows = read_rows(self._store.open(business_id, import_id), job.format)
            for batch in _batches(rows, skip=job.rows):
                if not may_go_on():
                    return False
                job = self._batch(business, job, batch)
                self._imports.save(job)
        except UnreadableFileError as error:
            job = replace(job, status="failed", failure=str(error))
        else:
            job = replace(job, status="completed")
        self._imports.save(job)
        return True

    def _batch(self, business: Business, job: ImportJob, rows: Sequence[Row]) -> ImportJob:
        errors: list[tuple[int, FieldError]] = []
        checked: list[tuple[int, Mapping[str, Any]]] = []
        for row in rows:
            try:
                checked.append((row.line, self._profile(row, business)))
            except InvalidInputError as error:
                errors.extend((row.line, wrong) for wrong in error.errors)
        written = self._write(business, job, checked, errors)
        failed_lines = {line for line, _ in errors}
        kept = [{"line": line, "field": wrong.field, "message": wrong.message} for line, wrong in errors]
        return replace(
            job,
            rows=job.rows + len(rows),
            created=job.created + written.created,
            updated=job.updated + written.updated,
            unchanged=job.unchanged + written.unchanged,
            failed=job.failed + len(failed_lines),
            errors=(*job.errors, *kept)[:MAX_ERRORS],
        )

    def _profile(self, row: Row, business: Business) -> Mapping[str, Any]:
        if row.error is not None or row.given is None:
            raise InvalidInputError(*([row.error] if row.error else ()))
        return checked_profile(row.given, business, self._addresses, creating=True)

    def _write(
        self,
        business: Business,
        job: ImportJob,
        rows: Sequence[tuple[int, Mapping[str, Any]]],
        errors: list[tuple[int, FieldError]],
    ) -> "_Written":
        """Write rows in one transaction; when somebody else writes the same customers meanwhile, try once more."""
        for attempt in range(1, ATTEMPTS + 1):
            wrong: list[tuple[int, FieldError]] = []
            batch = _Batch(business, self._customers, self._contacts, self._clock, wrong)
            written = batch.prepare(job, rows)
            try:
                if written.customers:
                    self._customers.save(written.customers, written.contacts)
            except ConcurrentChangeError:
                if attempt == ATTEMPTS:
                    raise
                continue
            errors.extend(wrong)
            if written.customers and self._businesses.get(business.business_id).policy != business.policy:
                # An import holds the settings that it began with; a copying may have passed these customers before.
                self._copy_flags(business.business_id, written.customers)
            return written
        raise AssertionError


@dataclass(frozen=True, slots=True)
class _Written:
    customers: Sequence[Customer]
    contacts: Sequence[Contact]
    created: int
    updated: int
    unchanged: int


class _Batch:
    """Some rows on their way into one transaction, in which no customer and no contact may stand twice."""

    def __init__(
        self,
        business: Business,
        customers: CustomerBook,
        contacts: ContactBook,
        clock: Clock,
        errors: list[tuple[int, FieldError]],
    ) -> None:
        self._business = business
        self._book = customers
        self._contact_book = contacts
        self._now = clock.now()
        self._errors = errors

    def prepare(self, job: ImportJob, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> _Written:
        business_id = self._business.business_id
        ids = {line: self._id(job, line, profile) for line, profile in rows}
        stored = dict(self._book.get_many(business_id, sorted(set(ids.values()))))
        after = dict(stored)
        for line, profile in rows:
            after[ids[line]] = self._merged(after.get(ids[line]), ids[line], profile)
        contacts = self._contact_book.get_many({key for c in after.values() for key in c.contact_keys})
        linked_contacts = dict(contacts)
        changed: set[str] = set()
        created = updated = unchanged = 0
        for line, _ in rows:
            customer = after[ids[line]]
            before = stored.get(customer.customer_id)
            if before is not None and replace(customer, updated_at=before.updated_at) == before:
                unchanged += 1
                continue
            try:
                for key in customer.contact_keys:
                    moved_here = before is not None and before.contact_key(key.channel) != key
                    linked_contacts[key] = linked(linked_contacts[key], customer, [key.channel] if moved_here else [])
            except InvalidInputError as error:
                self._errors.extend((line, wrong) for wrong in error.errors)
                continue
            if before is None and customer.customer_id not in changed:
                created += 1
            else:
                updated += 1
            changed.add(customer.customer_id)
        return _Written(
            [self._flagged(after[customer_id], linked_contacts) for customer_id in sorted(changed)],
            [contact for key, contact in linked_contacts.items() if contact != contacts[key]],
            created,
            updated,
            unchanged,
        )

    def _id(self, job: ImportJob, line: int, profile: Mapping[str, Any]) -> str:
        """By external id, else by the row itself, so that a row imported twice by a retry is one customer."""
        if profile.get("external_id"):
            return id_of_external(self._business.business_id, profile["external_id"])
        return sha256(f"{self._business.business_id}\x1f{job.import_id}\x1f{line}".encode()).hexdigest()[:32]

    def _merged(self, before: Customer | None, customer_id: str, profile: Mapping[str, Any]) -> Customer:
        if before is not None:
            return before.changed(self._now, **profile)
        return Customer(
            business_id=self._business.business_id,
            customer_id=customer_id,
            created_at=self._now,
            updated_at=self._now,
            **profile,
        )

    def _flagged(self, customer: Customer, contacts: Mapping[ContactKey, Contact]) -> Customer:
        invalid = {key.channel: contacts[key].verdict(self._business.policy).invalid for key in customer.contact_keys}
        return replace(
            customer,
            failed_email=invalid.get(Channel.EMAIL, False),
            failed_phone=invalid.get(Channel.SMS, False),
        )


def _batches(rows: Iterator[Row], skip: int) -> Iterator[Sequence[Row]]:
    batch: list[Row] = []
    for number, row in enumerate(rows):
        if number < skip:
            continue
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def read_rows(file: IO[bytes], format_: str) -> Iterator[Row]:
    """The rows of a file, read as they are needed. Raises ``UnreadableFileError``."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        yield from _csv_rows(text) if format_ == "csv" else _json_rows(text)
    except UnicodeDecodeError:
        raise UnreadableFileError("The file is not UTF-8 text.") from None
    except csv.Error as error:
        raise UnreadableFileError(f"The file is not CSV: {error}.") from None


def _csv_rows(text: Iterable[str]) -> Iterator[Row]:
    reader = csv.reader(text, strict=True)
    header = [name.strip() for name in next(reader, [])]
    if not header:
        raise UnreadableFileError("The file is empty; the first line must name the columns.")
    unknown = [name for name in header if name not in PROFILE_FIELDS]
    if unknown or len(set(header)) != len(header):
        known = ", ".join(sorted(PROFILE_FIELDS))
        raise UnreadableFileError(f"The first line must name each column once, out of: {known}.")
    for cells in reader:
        line = reader.line_num
        if not cells:
            continue
        if len(cells) != len(header):
            message = f"Has {len(cells)} cells where the first line names {len(header)}."
            yield Row(line, None, FieldError("row", message))
            continue
        yield Row(line, {name: _cell(name, cell) for name, cell in zip(header, cells, strict=True)})


def _cell(name: str, cell: str) -> object:
    if name == "general_tags":
        return [tag for tag in cell.split(TAG_SEPARATOR) if tag.strip()]
    return cell.strip() or None


def _json_rows(text: Iterable[str]) -> Iterator[Row]:
    for line, written in enumerate(text, start=1):
        if not written.strip():
            continue
        if len(written) > MAX_LINE:
            yield Row(line, None, FieldError("row", f"Is longer than {MAX_LINE} characters."))
            continue
        try:
            given = json.loads(written)
        except (ValueError, RecursionError):
            yield Row(line, None, FieldError("row", "Is not JSON."))
            continue
        wrong = _wrong_shape(given)
        yield Row(line, None, wrong) if wrong else Row(line, given)


def _wrong_shape(given: object) -> FieldError | None:
    if not isinstance(given, dict):
        return FieldError("row", "Must be a JSON object.")
    for name, value in given.items():
        if name not in PROFILE_FIELDS:
            shown = name[:64].encode(errors="replace").decode()
            return FieldError(shown, f"Is not a field; known are {', '.join(sorted(PROFILE_FIELDS))}.")
        if name == "general_tags":
            if not (value is None or (isinstance(value, list) and all(isinstance(tag, str) for tag in value))):
                return FieldError(name, "Must be a list of texts.")
        elif not (value is None or isinstance(value, str)):
            return FieldError(name, "Must be a text or null.")
    return None
