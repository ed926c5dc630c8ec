"""Creating, reading, changing, removing and listing customers, and what an edit says about their contacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from copy import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rebound.access.domain import actor
from rebound.businesses.domain.business import Business
from rebound.contacts.domain.contacts import MAX_CUSTOMERS_PER_CONTACT, Contact
from rebound.contacts.domain.reachability import Cleared, ClearedBy
from rebound.customers.application.copy_flags import with_flags
from rebound.customers.application.moves import left_behind
from rebound.customers.application.profile_checks import ADDRESS_FIELDS, checked_profile, checked_tags
from rebound.customers.application.recipients import check_there_are
from rebound.customers.domain import (
    BY_PORTAL,
    LOCKABLE,
    PROFILE,
    REQUIRED_FIELDS,
    Customer,
    FormUse,
    ProfileEvent,
    ProfileEventKind,
    is_set,
    last_change,
    locked_among,
    same_value,
)
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import (
    ConcurrentChangeError,
    ConflictError,
    FieldError,
    InvalidInputError,
    NotFoundError,
)
from rebound.kernel.ids import id_of_external
from rebound.kernel.local_time import wall_clock
from rebound.kernel.retrying import retried
from rebound.kernel.written_text import folded, tidied

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.application import SuppressionListClient
    from rebound.contacts.ports import AddressReader, ContactBook
    from rebound.customers.application.copy_flags import CopyFlags
    from rebound.customers.application.remove_customer import RemoveCustomer
    from rebound.customers.ports import CustomerBook, ProfileHistory, ProfileLock
    from rebound.platform.ports import Clock, Ids, Patience


class CustomerView(Struct, frozen=True):
    """A customer with the contacts behind their addresses."""

    customer: Customer
    contacts: Mapping[Channel, Contact]
    business: Business

    @property
    def updated_at(self) -> datetime:
        """When anything of what the view shows last changed, or was written: the profile, a flag, consent."""
        return last_change(self.customer, self.contacts.values())


def views_of(customers: Sequence[Customer], contacts: ContactBook, business: Business) -> Sequence[CustomerView]:
    """Customers with what is known of their addresses now."""
    known = contacts.get_many({key for customer in customers for key in customer.contact_keys})
    return [
        CustomerView(customer, {key.channel: known[key] for key in customer.contact_keys}, business)
        for customer in customers
    ]


class CustomerService(Struct, frozen=True, kw_only=True):
    """The customers of one business at a time.

    A changed address and the evidence for its contact are written in one transaction. When the business gives an
    address in a change, or confirms it, that is evidence that the address is good as of now, and clears its flag. The
    address of a *new* customer is no evidence: another customer's messages may have bounced there already (truth 1).

    What is written ``by_customer``, in person, claims the profile: from then on the business cannot change names,
    phones and email (``LOCKABLE``), and is told so with ``ConflictError``.
    """

    customers: CustomerBook
    contacts: ContactBook
    businesses: BusinessDirectory
    addresses: AddressReader
    clock: Clock
    ids: Ids
    patience: Patience
    suppressions: SuppressionListClient
    copy_flags: CopyFlags
    remove: RemoveCustomer
    history: ProfileHistory
    profile_locks: Sequence[ProfileLock]

    def create(self, business_id: str, given: Mapping[str, Any], *, by_customer: bool = False) -> CustomerView:
        """A new customer. Raises ``InvalidInputError``, and ``ConflictError`` when the external id is taken."""
        business = self.businesses.get(business_id)
        profile = checked_profile(given, business, self.addresses, self._today(business), creating=True)
        check_there_are(profile.get("cc", ()), given, business_id, self.customers)
        external_id = profile.get("external_id")
        customer_id = id_of_external(business_id, external_id) if external_id else self.ids.customer_id()
        customer = self._new(business_id, customer_id, profile)

        def write() -> None:
            if external_id and self._found(business_id, customer_id) is not None:
                raise ConflictError(
                    "external_id_taken",
                    "A customer with this external_id exists already.",
                    customer_id=customer_id,
                )
            self._create(customer, by_customer=by_customer)

        retried(write, lost=self.patience.wait)
        return self.get(business_id, customer_id)

    def put(
        self, business_id: str, external_id: str, given: Mapping[str, Any], *, by_customer: bool = False
    ) -> tuple[CustomerView, bool]:
        """Create the customer of an external id, or set the given fields of theirs; also whether they are new.

        What is as it was is no edit: nothing is written when nothing differs, and an address that the customer has, or
        had before, is no evidence that it is good. So the same list may be sent every night. Raises
        ``InvalidInputError`` and ``ConflictError``.
        """
        business = self.businesses.get(business_id)
        customer_id = id_of_external(business_id, external_id)

        def write() -> tuple[CustomerView | None, bool]:
            before = self._found(business_id, customer_id)
            profile = self._named(external_id, given, business, creating=before is None)
            known = () if before is None else before.cc
            check_there_are(set(profile.get("cc", ())).difference(known), given, business_id, self.customers)
            if before is None:
                self._create(self._new(business_id, customer_id, profile), by_customer=by_customer)
                return None, True
            news: Mapping[str, Any] = {name: value for name, value in profile.items() if value != getattr(before, name)}
            if not by_customer:
                news = self._unlocked(before, news)
            if not news and (before.claimed_at is not None or not by_customer):
                return views_of([before], self.contacts, business)[0], False
            after = before.changed(self.clock.now(), **news)
            unknown = [key.channel for key in set(after.contact_keys).difference(before.all_contact_keys)]
            if by_customer:
                self.write_own(before, news, unknown, BY_PORTAL)
            else:
                self._write_edit(before, after, unknown)
            return None, False

        unchanged, is_new = retried(write, lost=self.patience.wait)
        return unchanged or self.get(business_id, customer_id), is_new

    def _named(
        self, external_id: str, given: Mapping[str, Any], business: Business, *, creating: bool
    ) -> dict[str, Any]:
        """The checked profile of the customer of an external id, which the fields may repeat."""
        errors = [] if tidied(external_id) else [FieldError("external_id", "Must have something that can be read.")]
        if "external_id" in given and tidied(given["external_id"] or "") != tidied(external_id):
            errors.append(FieldError("external_id", "Must be the one in the path, or be left out."))
        try:
            profile = checked_profile(
                {**given, "external_id": external_id},
                business,
                self.addresses,
                self._today(business),
                creating=creating,
            )
        except InvalidInputError as error:
            missing = {name for name in REQUIRED_FIELDS if creating and name not in given}
            errors += [_required(each) if each.field in missing else each for each in error.errors]
        if errors:
            raise InvalidInputError(*errors)
        return profile

    def get(self, business_id: str, customer_id: str) -> CustomerView:
        """Raises ``NotFoundError``."""
        return views_of(
            [self.customers.get(business_id, customer_id)], self.contacts, self.businesses.get(business_id)
        )[0]

    def change(
        self, business_id: str, customer_id: str, given: Mapping[str, Any], *, by_customer: bool = False
    ) -> CustomerView:
        """Set the given profile fields; ``None`` empties one.

        Raises ``InvalidInputError``, ``NotFoundError``, and ``ConflictError`` for what only the customer changes.
        """
        business = self.businesses.get(business_id)
        profile = checked_profile(given, business, self.addresses, self._today(business), creating=False)

        def write() -> None:
            before = self.customers.get(business_id, customer_id)
            if "external_id" in profile and profile["external_id"] != before.external_id:
                raise InvalidInputError(
                    FieldError("external_id", "Cannot be changed: it is set when a customer is created.")
                )
            named = set(profile.get("cc", ())).difference(before.cc)
            check_there_are(named, given, business_id, self.customers)
            edited = [channel for name, channel in ADDRESS_FIELDS.items() if profile.get(name) is not None]
            if by_customer:
                news = {name: value for name, value in profile.items() if value != getattr(before, name)}
                self.write_own(before, news, edited, BY_PORTAL)
            else:
                written = self._unlocked(before, profile)
                self._write_edit(before, before.changed(self.clock.now(), **written), edited)

        retried(write, lost=self.patience.wait)
        return self.get(business_id, customer_id)

    def retag(
        self,
        business_id: str,
        customer_id: str,
        *,
        add: str | None = None,
        remove: str | None = None,
        known: Customer | None = None,
    ) -> Customer:
        """Give a customer a tag, and take one away, whatever other tags they have or get meanwhile.

        For programs: no log of edits tells of it. Whoever has just read the customer, as of now, gives them as
        ``known``: they are read again only where somebody has written them since. Returns them as they are then. Raises
        ``NotFoundError``, also where they were deleted since and somebody else has the id, and ``InvalidInputError``
        for one tag too many.
        """
        read = known

        def write() -> Customer:
            nonlocal read
            before, read = read or self.customers.get(business_id, customer_id), None
            if known is not None and before.created_at != known.created_at:
                raise NotFoundError("customer")
            kept = [tag for tag in before.general_tags if remove is None or folded(tag) != folded(remove)]
            given = [add] if add is not None and folded(add) not in map(folded, kept) else []
            tags = checked_tags([*kept, *given])
            if tags == before.general_tags:
                return before
            return self.customers.retag(before, before.changed(self.clock.now(), general_tags=tags))

        return retried(write, lost=self.patience.wait)

    def write_own(
        self,
        before: Customer,
        news: Mapping[str, Any],
        edited: Sequence[Channel],
        via: str,
        form: FormUse | None = None,
    ) -> None:
        """Write what the customer changed in person, and what they found right; the profile is theirs from then on.

        ``edited`` are the channels whose address they gave or confirmed, which clears its flag. Raises
        ``ConcurrentChangeError`` and ``InvalidInputError``.
        """
        now = self.clock.now()
        after = replace(before.changed(now, **news), claimed_at=before.claimed_at or now)
        confirmed = [name for name, channel in ADDRESS_FIELDS.items() if channel in edited]
        event = ProfileEvent(
            kind=ProfileEventKind.EDITED_BY_CUSTOMER if news else ProfileEventKind.CONFIRMED_BY_CUSTOMER,
            at=after.updated_at,
            event_id=self.ids.ulid(now),
            fields=tuple(news or confirmed),
            via=via,
        )
        self._save(after, edited=edited, by=ClearedBy.CUSTOMER, before=before, event=event, form=form)

    def _unlocked(self, before: Customer, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the business may write: of what is locked, other spellings of the same stay as the customer has them.

        Raises ``ConflictError`` for what would change something that is locked.
        """
        locked = locked_among(before, given)
        if not (locked and is_locked(before, self.businesses.get(before.business_id), self.profile_locks)):
            if before.claimed_at is None:
                return given
            locked = ()
        if locked:
            raise ConflictError(
                "profile_locked",
                f"Only the customer changes {', '.join(locked)}: the profile is theirs. Nothing was written. Leave "
                f"these out, or ask the customer with POST /v1/customers/{before.customer_id}/update-requests.",
                locked_fields=list(locked),
            )
        return {
            name: value
            for name, value in given.items()
            if name not in LOCKABLE or not same_value(value, getattr(before, name))
        }

    def _create(self, customer: Customer, *, by_customer: bool) -> None:
        if not by_customer:
            self._save(customer, edited=())
            return
        given = tuple(name for name in PROFILE if is_set(customer, name))
        event = ProfileEvent(
            kind=ProfileEventKind.EDITED_BY_CUSTOMER,
            at=customer.created_at,
            event_id=self.ids.ulid(customer.created_at),
            fields=given,
            via=BY_PORTAL,
        )
        self._save(replace(customer, claimed_at=customer.created_at), edited=(), event=event)

    def _write_edit(self, before: Customer, after: Customer, edited: Sequence[Channel]) -> None:
        changed = [name for name in PROFILE if getattr(after, name) != getattr(before, name)]
        event = self._by_staff(ProfileEventKind.EDITED_BY_STAFF, after, changed) if changed else None
        self._save(after, edited=edited, before=before, event=event)
        if after.time_zone != before.time_zone:
            self._wake_what_waits(after.business_id)

    def _by_staff(self, kind: ProfileEventKind, after: Customer, fields: Sequence[str]) -> ProfileEvent | None:
        """What the log says of an edit; nothing where a program made it, of which it could not say who that is."""
        if actor() is None:
            return None
        at = after.updated_at
        return ProfileEvent(kind=kind, at=at, event_id=self.ids.ulid(at), fields=tuple(fields))

    def _wake_what_waits(self, business_id: str) -> None:
        """Write the settings anew, so that held messages are decided again: another hour may be right for them now.

        The write need not be ours: a concurrent one makes a new version of the settings as well.
        """
        with suppress(ConcurrentChangeError):
            self.businesses.replace(self.businesses.get(business_id))

    def confirm(
        self, business_id: str, customer_id: str, channel: Channel, *, by_customer: bool = False
    ) -> CustomerView:
        """Clear the flag of an address, because the business says that the address is right as it stands.

        Raises ``ConflictError`` when the customer has no address on the channel.
        """

        def write() -> None:
            before = self.customers.get(business_id, customer_id)
            if before.contact_key(channel) is None:
                raise ConflictError("no_address", f"The customer has no {channel} address to confirm.", channel=channel)
            if by_customer:
                self.write_own(before, {}, [channel], BY_PORTAL)
                return
            # Written with the customer, so that a customer who is deleted meanwhile does not bring the address back.
            after = before.changed(self.clock.now())
            fields = [name for name, other in ADDRESS_FIELDS.items() if other is channel]
            event = self._by_staff(ProfileEventKind.CONFIRMED_BY_STAFF, after, fields)
            self._save(after, edited=[channel], by=ClearedBy.CONFIRMATION, event=event)

        retried(write, lost=self.patience.wait)
        return self.get(business_id, customer_id)

    def delete(self, business_id: str, customer_id: str) -> None:
        """Remove the profile, and its addresses unless others use them. Raises ``NotFoundError``.

        What was sent stays in the message log; what the owners of the addresses said about consent is remembered.
        """
        retried(lambda: self.remove(self.customers.get(business_id, customer_id)), lost=self.patience.wait)

    def _today(self, business: Business) -> date:
        return wall_clock(self.clock.now(), business.time_zone).date()

    def _new(self, business_id: str, customer_id: str, profile: Mapping[str, Any]) -> Customer:
        now = self.clock.now()
        return Customer(business_id=business_id, customer_id=customer_id, created_at=now, updated_at=now, **profile)

    def _found(self, business_id: str, customer_id: str) -> Customer | None:
        try:
            return self.customers.get(business_id, customer_id)
        except NotFoundError:
            return None

    def _save(
        self,
        customer: Customer,
        edited: Sequence[Channel],
        by: ClearedBy = ClearedBy.EDIT,
        before: Customer | None = None,
        event: ProfileEvent | None = None,
        form: FormUse | None = None,
    ) -> None:
        """Write the customer and the contacts that change with them; ``before`` is given when addresses may change."""
        keys = {*customer.contact_keys, *(before.contact_keys if before is not None else ())}
        known = self.contacts.get_many(keys)
        contacts = {**known, **{key: linked(known[key], customer, edited, by) for key in customer.contact_keys}}
        policy = self.businesses.get(customer.business_id).policy
        contacts |= left_behind(before, customer, known, contacts, policy)
        flagged = with_flags(customer, contacts, policy)
        changed = [contact for key, contact in contacts.items() if contact != known[key]]
        if event is None:
            self.customers.save([flagged], changed)
        else:
            self.history.save([flagged], changed, {customer.customer_id: [event]}, form=form)
        self._clear_at_the_provider(customer, known, edited)
        if self.businesses.get(customer.business_id).policy != policy:
            # The policy has changed, and its copying may have passed this customer before the customer was written.
            self.copy_flags(customer.business_id, [flagged])

    def _clear_at_the_provider(
        self, customer: Customer, known: Mapping[ContactKey, Contact], edited: Sequence[Channel]
    ) -> None:
        """Take an email address that had failed and is now said to be good off the provider's suppression list."""
        key = customer.contact_key(Channel.EMAIL)
        if key is None or customer.email is None or Channel.EMAIL not in edited:
            return
        if known[key].reachability.failures:
            self.suppressions.clear_at_once(customer.email)


def is_locked(customer: Customer, business: Business, locks: Iterable[ProfileLock]) -> bool:
    """Whether only the customer changes what is ``LOCKABLE``."""
    return customer.claimed_at is not None or any(lock(customer, business) for lock in locks)


def _required(error: FieldError) -> FieldError:
    return replace(error, message="Is required, because there is no customer with this external_id yet.")


def linked(contact: Contact, customer: Customer, edited: Sequence[Channel], by: ClearedBy = ClearedBy.EDIT) -> Contact:
    """The contact with this customer listed, and cleared when the edit gave or confirmed its address.

    Raises ``InvalidInputError`` when the address is a placeholder that too many share.
    """
    used = contact.used_by(customer.customer_id)
    if len(used.customer_ids) > MAX_CUSTOMERS_PER_CONTACT:
        field = "email" if contact.key.channel is Channel.EMAIL else "mobile_phone"
        raise InvalidInputError(
            FieldError(
                field,
                f"Is used by {MAX_CUSTOMERS_PER_CONTACT} customers already; leave it empty if it is a placeholder.",
            )
        )
    return used.with_evidence(Cleared(customer.updated_at, by)) if contact.key.channel in edited else used
