"""Linking customers with family and friends: both sides at once, and again when one of them goes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.customers.domain import ASKED_CUSTOMER, ASKED_OTHER, Customer, ProfileEvent, ProfileEventKind
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError, NotFoundError, TooSoonError
from rebound.kernel.local_time import seconds_until_tomorrow, wall_clock
from rebound.kernel.retrying import retried
from rebound.relations.domain import (
    MOST,
    MOST_ASKED,
    AskedAt,
    Invitation,
    Relation,
    Relations,
    RelationStatus,
    seen_from_there,
)

if TYPE_CHECKING:
    from rebound.customers.ports import CustomerBook
    from rebound.platform.ports import Clock, Ids
    from rebound.relations.ports import RelationBook


class RelationView(Struct, frozen=True):
    """A relation, with the name that the other goes by now."""

    relation: Relation
    name: str
    external_id: str | None = None


class Asking(Struct, frozen=True):
    """The message by which somebody is asked: in whose log it stands, and the digest of the address that it goes to.

    ``zone`` is the business's time zone, whose days limit how many go to one address.
    """

    message_id: str
    log_of: str
    digest: str
    zone: str


class NewRelation(Struct, frozen=True, kw_only=True):
    """What is asked for: ``relationship`` is what the other is to the customer, ``there`` the reverse if it is known.

    ``field`` is the one by which the client named the other. With ``asking`` the other is asked first.
    """

    relation_id: str
    relationship: str
    other_id: str | None = None
    name: str | None = None
    there: str | None = None
    asking: Asking | None = None
    field: str = "customer_id"


class Standing(Struct, frozen=True):
    """How it stands with an invitation: who asked, while that is kept, and the relation if there is one."""

    asker: str | None = None
    relation: Relation | None = None


class RelationService(Struct, frozen=True, kw_only=True):
    """The relations of one business's customers. Both sides of a relation are written in one transaction."""

    relations: RelationBook
    customers: CustomerBook
    clock: Clock
    ids: Ids

    def list(self, business_id: str, customer_id: str) -> Sequence[RelationView]:
        """The relations of a customer, the oldest first. Raises ``NotFoundError``."""
        self.customers.get(business_id, customer_id)
        return self._views(business_id, self.relations.get(business_id, customer_id).entries.values())

    def check(self, business_id: str, customer_id: str, new: NewRelation) -> Customer | None:
        """The other customer, if it is one. Raises what ``add`` would raise."""
        _, other = self._checked(business_id, customer_id, new)
        return other

    def add(self, business_id: str, customer_id: str, new: NewRelation) -> RelationView:
        """Link a customer; the same ``relation_id`` again changes nothing.

        Raises ``NotFoundError``, ``InvalidInputError`` for oneself and for somebody whom there is not, and
        ``ConflictError`` for a pair that is linked, was asked, or has declined, and for more than ``MOST``. With an
        invitation also ``TooSoonError``, after ``MOST_ASKED`` of them to the address on one day.
        """

        def write() -> Relation:
            sides, _ = self._checked(business_id, customer_id, new)
            own = sides[0]
            if (known := own.entries.get(new.relation_id)) is not None:
                return known
            now = self.clock.now()
            asking, asked_at = new.asking, self._asked_at(business_id, new.asking, now)
            status = RelationStatus.ACCEPTED if asking is None else RelationStatus.PENDING
            relation = Relation(
                relation_id=new.relation_id,
                relationship=new.relationship,
                status=status,
                created_at=now,
                other_id=new.other_id,
                name=new.name,
                invitation=None if asking is None else asking.message_id,
            )
            there = new.there or seen_from_there(new.relationship)
            reverse = replace(relation, relationship=there, other_id=customer_id)
            after = [side.with_one(relation if side is own else reverse) for side in sides]
            kind = ProfileEventKind.RELATION_ADDED if asking is None else ProfileEventKind.RELATION_INVITED
            asker = None if asking is None else customer_id
            events = self._events(after, new.relation_id, kind, now, asker)
            invitation = None if asking is None else Invitation(asking.message_id, customer_id, new.relation_id)
            self.relations.save(after, events, invitation, asked_at)
            return relation

        [view] = self._views(business_id, [retried(write)])
        return view

    def answer(self, business_id: str, message_id: str, *, accepts: bool | None = None) -> Standing:
        """Take the answer to an invitation, and say who asked and how it stands; without an answer, only say that.

        The first answer counts.
        """

        def write() -> Standing:
            asked = self.relations.invitation(business_id, message_id)
            if asked is None:
                return Standing()
            own = self.relations.get(business_id, asked.customer_id)
            relation = own.entries.get(asked.relation_id)
            if relation is None or relation.invitation != message_id:
                return Standing(asked.customer_id)
            if accepts is None or relation.status is not RelationStatus.PENDING:
                return Standing(asked.customer_id, relation)
            now = self.clock.now()
            status = RelationStatus.ACCEPTED if accepts else RelationStatus.DECLINED
            sides = [own, *self._other_side(business_id, relation)]
            after = [
                side.with_one(replace(side.entries[relation.relation_id], status=status, answered_at=now))
                for side in sides
            ]
            kind = ProfileEventKind.RELATION_ACCEPTED if accepts else ProfileEventKind.RELATION_DECLINED
            self.relations.save(after, self._events(after, relation.relation_id, kind, now, asked.customer_id))
            return Standing(asked.customer_id, after[0].entries[relation.relation_id])

        return retried(write)

    def remove(self, business_id: str, customer_id: str, relation_id: str) -> None:
        """End a relation on both sides. Raises ``NotFoundError``."""

        def write() -> None:
            self.customers.get(business_id, customer_id)
            own = self.relations.get(business_id, customer_id)
            relation = own.entries.get(relation_id)
            if relation is None:
                raise NotFoundError("relation")
            sides = [own, *self._other_side(business_id, relation)]
            kind = ProfileEventKind.RELATION_REMOVED
            events = self._events(sides, relation_id, kind, self.clock.now())
            self.relations.save([side.without(relation_id) for side in sides], events)

        retried(write)

    def _checked(
        self, business_id: str, customer_id: str, new: NewRelation
    ) -> tuple[Sequence[Relations], Customer | None]:
        """The sides as they are, the customer's own first. Raises what ``add`` does."""
        self.customers.get(business_id, customer_id)
        if new.other_id == customer_id:
            raise InvalidInputError(FieldError(new.field, "Must be another customer."))
        other = None
        if new.other_id is not None:
            try:
                other = self.customers.get(business_id, new.other_id)
            except NotFoundError:
                raise InvalidInputError(FieldError(new.field, "There is no such customer.")) from None
        own = self.relations.get(business_id, customer_id)
        sides = [own, *([] if new.other_id is None else [self.relations.get(business_id, new.other_id)])]
        if new.relation_id in own.entries:
            return sides, other
        known = own.to(new.other_id, new.name)
        if known is not None:
            raise ConflictError(
                "relation_exists",
                f"The two are linked already: {known.status}. DELETE that relation to begin anew.",
                relation_id=known.relation_id,
                relation_status=str(known.status),
            )
        full = next((side.customer_id for side in sides if len(side.entries) >= MOST), None)
        if full is not None:
            raise ConflictError(
                "too_many_relations",
                f"A customer has at most {MOST} relations; this one has as many already.",
                customer_id=full,
            )
        return sides, other

    def _asked_at(self, business_id: str, asking: Asking | None, now: datetime) -> AskedAt | None:
        """The address with one invitation more. Raises ``TooSoonError``."""
        if asking is None:
            return None
        known, today = self.relations.asked_at(business_id, asking.digest), wall_clock(now, asking.zone).date()
        if known.day == today and known.times >= MOST_ASKED:
            raise TooSoonError(
                f"{MOST_ASKED} invitations were sent to this address today; ask there again tomorrow.",
                seconds_until_tomorrow(now, asking.zone),
            )
        return known.once_more(today, asking.log_of, asking.message_id)

    def _other_side(self, business_id: str, relation: Relation) -> Sequence[Relations]:
        """The other customer's relations, if they have this one: one who is being erased may have lost it."""
        if relation.other_id is None:
            return []
        side = self.relations.get(business_id, relation.other_id)
        return [side] if relation.relation_id in side.entries else []

    def _views(self, business_id: str, relations: Iterable[Relation]) -> Sequence[RelationView]:
        found = sorted(relations, key=lambda each: (each.created_at, each.relation_id))
        others = [each.other_id for each in found if each.other_id is not None]
        known = self.customers.get_many(business_id, others, as_of_now=True) if others else {}
        return [
            RelationView(each, each.name or "")
            if each.other_id is None
            else RelationView(each, known[each.other_id].full_name, known[each.other_id].external_id)
            for each in found
            if each.other_id is None or each.other_id in known
        ]

    def _events(
        self,
        sides: Sequence[Relations],
        relation_id: str,
        kind: ProfileEventKind,
        at: datetime,
        asker: str | None = None,
    ) -> Mapping[str, Sequence[ProfileEvent]]:
        """What the logs of both say; ``asker`` is who asked, where it is about an invitation."""
        events = {}
        for side in sides:
            relation = side.entries[relation_id]
            event = ProfileEvent(
                kind=kind,
                at=at,
                event_id=self.ids.ulid(at),
                relation_id=relation_id,
                relationship=relation.relationship,
                other_id=relation.other_id,
                name=relation.name,
                asked=None if asker is None else ASKED_OTHER if asker == side.customer_id else ASKED_CUSTOMER,
            )
            events[side.customer_id] = [event]
        return events


class ForgetRelations(Struct, frozen=True, kw_only=True):
    """Unlinks a customer who was deleted from everybody, one after the other; again does what is left."""

    relations: RelationBook
    customers: CustomerBook
    clock: Clock
    ids: Ids

    def __call__(self, customer: Customer) -> None:
        """Raises ``ConcurrentChangeError`` when others keep writing the same."""
        business_id, customer_id = customer.business_id, customer.customer_id
        own = self.relations.get(business_id, customer_id)
        since = self._back_since(customer)
        gone = [each for each in own.entries.values() if since is None or each.created_at < since]
        for relation in gone:
            if relation.other_id is not None:
                retried(lambda one=relation: self._unlink(business_id, one))  # type: ignore[misc]
        if gone:
            retried(lambda: self._leave(business_id, customer_id, {each.relation_id for each in gone}))

    def _unlink(self, business_id: str, relation: Relation) -> None:
        side = self.relations.get(business_id, str(relation.other_id))
        theirs = side.entries.get(relation.relation_id)
        if theirs is None:
            return
        now = self.clock.now()
        event = ProfileEvent(
            kind=ProfileEventKind.RELATION_REMOVED,
            at=now,
            event_id=self.ids.ulid(now),
            relation_id=relation.relation_id,
            relationship=theirs.relationship,
            other_id=theirs.other_id,
        )
        # Who is deleted as well has their own turn, and no log any more.
        self.relations.save([side.without(relation.relation_id)], {side.customer_id: [event]}, of_existing=False)

    def _leave(self, business_id: str, customer_id: str, gone: Collection[str]) -> None:
        own = self.relations.get(business_id, customer_id)
        left = replace(own, entries={each: one for each, one in own.entries.items() if each not in gone})
        if left.entries:
            self.relations.save([left], {}, of_existing=False)
        elif own.version:
            self.relations.forget(own)

    def _back_since(self, customer: Customer) -> datetime | None:
        """When the customer came back, if they did: under an external id they are the same one."""
        try:
            return self.customers.get(customer.business_id, customer.customer_id).created_at
        except NotFoundError:
            return None
