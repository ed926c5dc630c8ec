"""What a batch of rows changes on customers and contacts as they are now.

A file is no evidence about an address: it clears no flag, whichever address it brings. And a file that says again what
it said before must not undo what somebody has edited since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.businesses.domain.business import Business
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Contact, most_rows
from rebound.customers.application.copy_flags import with_flags
from rebound.customers.application.customer_service import is_locked, linked
from rebound.customers.application.moves import left_behind
from rebound.customers.application.profile_checks import ADDRESS_FIELDS
from rebound.customers.application.recipients import is_address
from rebound.customers.domain import LOCKABLE, PROFILE, REQUIRED_FIELDS, Customer, digest_of, is_set, locked_among
from rebound.imports_exports.application.import_rows import name_of
from rebound.imports_exports.application.mended_names import is_mended
from rebound.imports_exports.domain import LOCKED, BadRow, ImportJob, RowOutcome
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.written_text import folded

if TYPE_CHECKING:
    from rebound.contacts.ports import ContactBook
    from rebound.customers.ports import CustomerBook, ProfileLock
    from rebound.imports_exports.application.import_rows import Wish
    from rebound.imports_exports.application.same_customer import SameCustomers

_WAY_OUT: Final = 'To take the file\'s value, PATCH the customer, or import it with "protect": [].'
EDITED: Final = f"Was kept: it was edited since the file had this value. {_WAY_OUT}"
PROTECTED: Final = "Was kept: the import protects it."
NOT_KNOWN: Final = f"Was kept: it was edited, and nobody knows what the file had before. {_WAY_OUT}"
MENDED: Final = "Was another name before. The address is the same, so it was taken for the same person."
ANOTHER: Final = (
    "Somebody of another name has this address, and the file does not have them. This is somebody new; if it is the "
    "same person, delete one of the two."
)
CREATED: Final = "created"
UPDATED: Final = "updated"
UNCHANGED: Final = "unchanged"


class Changes(Struct, frozen=True):
    """What is to be written, and what becomes of each row."""

    customers: Sequence[Customer]
    contacts: Sequence[Contact]
    outcomes: Sequence[RowOutcome]
    bad_rows: Sequence[BadRow]

    @property
    def rows(self) -> int:
        """The most rows of a transaction that these take."""
        return len(self.customers) + sum(map(_rows_of, self.contacts))


def _rows_of(contact: Contact) -> int:
    if not contact.is_used:
        return most_rows([contact.key])
    return (1 if contact.version else 2) + len(contact.joined)


class ImportChanges(Struct, frozen=True, kw_only=True):
    """Finds out what rows change, from customers and contacts as they are now."""

    customers: CustomerBook
    contacts: ContactBook
    locks: Sequence[ProfileLock] = ()

    def __call__(
        self, job: ImportJob, business: Business, wishes: Sequence[Wish], same: SameCustomers, now: datetime
    ) -> Changes:
        """What the rows change, one after the other; ``same`` knows whom the other rows of the file are about."""
        known = dict(self.contacts.get_many({key for wish in wishes for key in wish.keys.values()}))
        named = [wish.customer_id for wish in wishes if wish.customer_id is not None]
        made = {wish.line: _made_id(job, wish) for wish in wishes if wish.customer_id is None and not wish.is_opt_out}
        met = {
            customer_id
            for wish in wishes
            if wish.line in made
            for key in _met_at(job, wish)
            for customer_id in known[key].customer_ids
        }
        copied = {each for wish in wishes for each in wish.profile.get("cc", ()) if not is_address(each)}
        nameless = [each for wish in wishes if wish.line in made for each in _nameless_ids(job, wish)]
        wanted = [*named, *made.values(), *nameless, *sorted(met | copied)]
        stored = self.customers.get_many(job.business_id, wanted, as_of_now=True)
        others = {key for customer in stored.values() for key in customer.contact_keys if key not in known}
        known.update(self.contacts.get_many(others) if others else {})
        state = _State(job, now, dict(stored), dict(known), same, lambda each: is_locked(each, business, self.locks))
        unknown = copied.difference(stored, named, made.values())
        for wish in (_warned(each, unknown) for each in wishes):
            if wish.is_opt_out:
                state.opt_out(wish)
            else:
                state.take(*state.same_person(wish, made.get(wish.line, "")))
        changed = {id_: customer for id_, customer in state.customers.items() if customer != stored.get(id_)}
        after = dict(state.contacts)
        for customer_id, customer in changed.items():
            after |= left_behind(stored.get(customer_id), customer, known, after, business.policy)
        return Changes(
            [with_flags(customer, after, business.policy) for customer in changed.values()],
            [contact for key, contact in after.items() if contact != known[key]],
            state.outcomes,
            state.bad_rows,
        )


def _warned(wish: Wish, unknown: Collection[str]) -> Wish:
    """The wish, with a warning where it names customers for copies whom there are not yet."""
    missing = [each for each in wish.profile.get("cc", ()) if each in unknown]
    if not missing:
        return wish
    names = ", ".join(f"“{wish.recipients.get(each, each)}”" for each in missing)
    sentence = f"There is no customer {names} yet; a copy is sent once there is."
    return replace(wish, warnings=(*wish.warnings, FieldError("cc", sentence)))


class _State:
    """Customers and contacts while the rows of a batch are taken."""

    def __init__(
        self,
        job: ImportJob,
        now: datetime,
        customers: dict[str, Customer],
        contacts: dict[ContactKey, Contact],
        same: SameCustomers,
        is_locked: Callable[[Customer], bool],
    ) -> None:
        self.customers = customers
        self.contacts = contacts
        self.outcomes: list[RowOutcome] = []
        self.bad_rows: list[BadRow] = []
        self._job = job
        self._now = now
        self._same = same
        self._is_locked = is_locked

    def opt_out(self, wish: Wish) -> None:
        """Take a row about addresses alone, whoever has them."""
        news = _opted_out(self.contacts, wish.keys.items(), wish.opt_outs)
        self.contacts |= news
        self._done(wish, "", UPDATED if news else UNCHANGED)

    def take(self, wish: Wish, customer_id: str) -> None:
        """Take a row about a customer. What of its optional fields cannot be had is left out."""
        before = self.customers.get(customer_id)
        if before is not None and wish.profile.get("external_id", before.external_id) != before.external_id:
            self._refuse(wish, FieldError("external_id", "Cannot be changed: this customer has another."))
            return
        while True:
            after, kept = self._written(wish, customer_id, before)
            changed = after.contact_keys if after is not before else ()
            try:
                used = {key: linked(self.contacts[key], after, ()) for key in changed}
            except InvalidInputError as error:
                left = wish.without(error.errors)
                if left is None:
                    self._refuse(wish, *error.errors)
                    return
                wish = left
            else:
                break
        # An opt-out is about the address that the row gives, and about the one that the customer keeps in its place.
        about = [(key.channel, key) for key in {*after.contact_keys, *wish.keys.values()}]
        opted_out = _opted_out({**self.contacts, **used}, about, wish.opt_outs)
        idle = [
            FieldError(f"{channel}_opted_out", f"The customer has no {channel} address that it could be about.")
            for channel, stated in wish.opt_outs.items()
            if stated and channel not in dict(about)
        ]
        self.contacts |= {**used, **opted_out}
        self.customers[customer_id] = after
        is_same = before is not None and replace(after, file_values=before.file_values) == before
        done = CREATED if before is None else UNCHANGED if is_same and not opted_out else UPDATED
        self._done(replace(wish, warnings=(*wish.warnings, *kept, *idle)), customer_id, done)

    def same_person(self, wish: Wish, made: str) -> tuple[Wish, str]:
        """The customer whom a row is about, without an id else the new one with the id ``made``; and the row.

        A warning tells where another name was taken for the same person, and where it was not.
        """
        if wish.customer_id is not None:
            return wish, wish.customer_id
        for key in _met_at(self._job, wish):
            found = [self.customers[each] for each in self.contacts[key].customer_ids if each in self.customers]
            namesakes = [customer for customer in found if _is_named(customer, wish)]
            if namesakes:
                # Who has the address now comes before who had it once.
                first = min(namesakes, key=lambda each: (each.contact_key(key.channel) != key, each.customer_id))
                return wish, first.customer_id
        others = self._others_at(wish)
        mended = {
            each.customer_id: each
            for holders in others.values()
            for each in holders
            if is_mended(_folded_names(each), _names_of(wish))
        }
        if len(mended) == 1:
            [(customer_id, before)] = mended.items()
            changed = [name for name in REQUIRED_FIELDS if getattr(before, name) != wish.profile[name]]
            return _with_warnings(wish, dict.fromkeys(changed, MENDED)), customer_id
        for customer_id in _nameless_ids(self._job, wish):
            found_one = self.customers.get(customer_id)
            if found_one is not None and _has_been_nameless(found_one, self._job, wish):
                return wish, customer_id
        return _with_warnings(wish, dict.fromkeys(others, ANOTHER)), made

    def _others_at(self, wish: Wish) -> Mapping[str, Sequence[Customer]]:
        """By the field of the address, customers whom no row names, and who may be meant by a row of another name.

        They have an address of the row, none that differs from another of it, and no id of the business's own.
        """
        found: dict[str, Sequence[Customer]] = {}
        names = {channel: name for name, channel in ADDRESS_FIELDS.items()}
        for key in _met_at(self._job, wish):
            holders = [
                customer
                for each in self.contacts[key].customer_ids
                if (customer := self.customers.get(each)) is not None
                and customer.contact_key(key.channel) == key
                and customer.external_id is None
                and self._same.may_lack(customer)
                and all(customer.contact_key(other.channel) in (None, other) for other in wish.keys.values())
            ]
            if holders:
                found[names[key.channel]] = holders
        return found

    def _written(self, wish: Wish, customer_id: str, before: Customer | None) -> tuple[Customer, Sequence[FieldError]]:
        if before is None:
            return (
                Customer(
                    business_id=self._job.business_id,
                    customer_id=customer_id,
                    created_at=self._now,
                    updated_at=self._now,
                    file_values={},
                    **wish.profile,
                ),
                (),
            )
        given = {name: value for name, value in wish.profile.items() if name != "external_id"}
        if wish.only_fills and before.external_id is not None:
            given = {name: value for name, value in given.items() if not is_set(before, name)}
        locked = locked_among(before, given)
        if locked and not self._is_locked(before):
            locked = ()
        if before.claimed_at is not None:
            # Another spelling of the same is neither a change nor worth a word.
            given = {
                name: value
                for name, value in given.items()
                if name not in LOCKABLE or name in locked or value == getattr(before, name)
            }
        kept = {**kept_fields(before, given, self._job.options.protect), **dict.fromkeys(locked, LOCKED)}
        written = {name: value for name, value in given.items() if name not in kept}
        values = _file_values(before, given, kept)
        warnings = [FieldError(name, reason) for name, reason in kept.items()]
        if all(value == getattr(before, name) for name, value in written.items()):
            return before if values == before.file_values else replace(before, file_values=values), warnings
        return before.written(self._now, values, **written), warnings

    def _refuse(self, wish: Wish, *errors: FieldError) -> None:
        self.bad_rows.append(BadRow(wish.line, (*errors, *wish.warnings)))

    def _done(self, wish: Wish, customer_id: str, outcome: str) -> None:
        self.outcomes.append(RowOutcome(wish.line, outcome, wish.external_id, customer_id))
        if wish.warnings:
            self.bad_rows.append(BadRow(wish.line, (), wish.warnings))


def kept_fields(before: Customer, given: Mapping[str, Any], protect: Sequence[str] | None) -> Mapping[str, str]:
    """The fields that a file must leave as they are, and why: protected ones, by default those edited by hand since.

    An empty field that is protected is filled, unless somebody has emptied it.
    """
    edited = before.file_values
    differing = [name for name, value in given.items() if value != getattr(before, name)]
    if protect is not None:
        return {
            name: PROTECTED
            for name in differing
            if name in protect and (is_set(before, name) or name in (edited or ()))
        }
    if edited is None:
        return dict.fromkeys((name for name in differing if name in _of_unknown_edits(before)), NOT_KNOWN)
    return {
        name: EDITED if edited[name] else NOT_KNOWN
        for name in differing
        if name in edited and edited[name] in ("", digest_of(given[name]))
    }


def _file_values(before: Customer, given: Mapping[str, Any], kept: Iterable[str]) -> Mapping[str, str] | None:
    """What is remembered of the file afterwards, see ``Customer``."""
    known = before.file_values
    if known is None:
        if before.is_as_created and all(value == getattr(before, name) for name, value in given.items()):
            return None
        known = dict.fromkeys((name for name in _of_unknown_edits(before) if name not in given), "")
    after = {name: digest for name, digest in known.items() if name not in given}
    return {**after, **{name: digest_of(given[name]) for name in kept}}


def _of_unknown_edits(before: Customer) -> Sequence[str]:
    """The fields that somebody may have edited, where nothing says which: all that have a value."""
    if before.is_as_created:
        return ()
    return [name for name in PROFILE if name != "external_id" and is_set(before, name)]


def _met_at(job: ImportJob, wish: Wish) -> Sequence[ContactKey]:
    """The contacts at which a row without an id meets its customer, the one that tells most first."""
    channels = [ADDRESS_FIELDS[name] for name in job.options.match_by]
    return [wish.keys[channel] for channel in channels if channel in wish.keys]


def _is_named(customer: Customer, wish: Wish) -> bool:
    """Whether a customer has the name of a row, now or as the file last had it."""
    if name_of({name: getattr(customer, name) for name in REQUIRED_FIELDS}) == name_of(wish.profile):
        return True
    edited = customer.file_values or {}
    return any(name in edited for name in REQUIRED_FIELDS) and all(
        edited.get(name, digest_of(getattr(customer, name))) == digest_of(wish.profile[name])
        for name in REQUIRED_FIELDS
    )


def _with_warnings(wish: Wish, reasons: Mapping[str, str]) -> Wish:
    return replace(wish, warnings=(*wish.warnings, *(FieldError(name, why) for name, why in reasons.items())))


def _folded_names(customer: Customer) -> tuple[str, str]:
    return folded(customer.first_name), folded(customer.last_name)


def _names_of(wish: Wish) -> tuple[str, str]:
    return folded(wish.profile["first_name"]), folded(wish.profile["last_name"])


def _has_been_nameless(customer: Customer, job: ImportJob, wish: Wish) -> bool:
    """Whether a row that has an address now may be about somebody of whom nothing but the name was known."""
    has_none = all(customer.contact_key(ADDRESS_FIELDS[name]) is None for name in job.options.match_by)
    born = wish.profile.get("birthday")
    return has_none and (born is None or customer.birthday in (None, born))


def _nameless_ids(job: ImportJob, wish: Wish) -> Sequence[str]:
    """The ids that a row may have made when it had no address, see ``_made_id``."""
    return [_id_of(job, name_of(wish.profile), str(number)) for number in wish.nameless]


def _made_id(job: ImportJob, wish: Wish) -> str:
    """The id of a new customer whom the row does not name by an id.

    Where contacts will tell that the customer is there, an id of this row's own, which is the same when the row is
    imported again after a death. Of whom nothing but a name is known, the place among all of that name.
    """
    if job.options.match_by and not wish.marks:
        return _id_of(job, name_of(wish.profile), str(wish.namesakes))
    return _id_of(job, job.import_id, str(wish.line))


def _id_of(job: ImportJob, *what: str) -> str:
    return sha256("\x1f".join((job.business_id, *what)).encode()).hexdigest()[:32]


def _opted_out(
    contacts: Mapping[ContactKey, Contact],
    about: Iterable[tuple[Channel, ContactKey]],
    opt_outs: Mapping[Channel, Sequence[ConsentEvidence]],
) -> dict[ContactKey, Contact]:
    """The contacts with opt-outs that were not in force before."""
    opted_out: dict[ContactKey, Contact] = {}
    for channel, key in about:
        contact = contacts[key]
        news = [each for each in opt_outs.get(channel, ()) if each.scope not in contact.consent.opted_out]
        learnt = contact.with_evidence(*news)
        if learnt != contact:
            opted_out[key] = learnt
    return opted_out
