"""The operator's grants of senders: which business may send from which address, number, short code, service or name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.businesses.application.settings_of_business import check_names_are_allowed, text_sender
from rebound.businesses.domain.business import Business
from rebound.businesses.domain.senders import SenderHolders, is_covered, sender_key
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.retrying import retried
from rebound.kernel.text_senders import SenderKind, kind_of

if TYPE_CHECKING:
    from rebound.businesses.ports import BusinessDirectory
    from rebound.contacts.ports import AddressReader


MOST_NAMED: Final = 3
"""How many of a sender's businesses a refusal names."""


class Grant(Struct, frozen=True):
    """A sender of a business, and whether the business has chosen to send from it."""

    business_id: str
    sender: str
    chosen: bool


class OldSenders(Struct, frozen=True):
    """What became of the senders that businesses had before there were grants.

    ``shared`` are the senders that several businesses have, with the ids of the businesses; ``outside`` are email
    addresses by business that no identity of the stack covers.
    """

    businesses: int
    shared: Mapping[str, Sequence[str]]
    outside: Mapping[str, str]


class SenderGrants(Struct, frozen=True, kw_only=True):
    """Gives senders to businesses and takes them away.

    A sender has one business unless the operator says that several share it: what customers text to a number is read by
    all who have it. Email addresses are of the stack's own identities in SES, because no others can be sent from.
    """

    businesses: BusinessDirectory
    addresses: AddressReader
    sender_identities: Sequence[str]

    def add(self, business_id: str, given: str, *, share: bool = False) -> Business:
        """Grant a sender. Raises ``NotFoundError`` and ``InvalidInputError``, and then nothing is changed."""

        def write() -> Business:
            business, holders = self.granted(self.businesses.get(business_id), "sender", given, share=share)
            self.businesses.replace(business, [holders])
            return business

        return retried(write)

    def granted(
        self, business: Business, field: str, given: str, *, share: bool = False
    ) -> tuple[Business, SenderHolders]:
        """The business with a sender, and the sender's holders, not written yet; ``InvalidInputError`` on ``field``.

        What the business has already stays as it is.
        """
        sender = self._read(business, field, given)
        if business.senders.granted(sender) is not None:
            return business, self.businesses.sender_holders(sender)
        if "@" in sender and not is_covered(sender, self.sender_identities):
            known = ", ".join(self.sender_identities)
            raise InvalidInputError(FieldError(field, f"Must belong to an identity of this stack in SES: {known}."))
        if "@" not in sender and kind_of(sender) is SenderKind.NAME:
            try:
                check_names_are_allowed(business.country)
            except ValueError as error:
                raise InvalidInputError(FieldError(field, str(error))) from None
        holders = self.businesses.sender_holders(sender)
        others = holders.others(business.business_id) or self._older_users(sender, business.business_id)
        if others and not share:
            more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
            message = f"Another business has this sender: {', '.join(others[:MOST_NAMED])}{more}."
            message += " It is granted to this one as well with share (in a command: --share-sender)."
            raise InvalidInputError(FieldError(field, message))
        return (
            replace(business, senders=business.senders.with_sender(sender)),
            holders.with_holder(business.business_id),
        )

    def _older_users(self, sender: str, business_id: str) -> Sequence[str]:
        """Others that text from it since before there were grants, and have not been written anew."""
        known = self.businesses.having_sent_from([sender])
        return [user.business_id for user in known if _is(sender, user.text_from) and user.business_id != business_id]

    def remove(self, business_id: str, given: str) -> Business:
        """Take a sender away; a business that has chosen it has none then, and sends nothing on that channel.

        Texts to a number once sent from still reach the business as decision 0028 says. Raises ``InvalidInputError``
        when the business does not have the sender.
        """

        def write() -> Business:
            business = self.businesses.get(business_id)
            sender = business.senders.granted(given) or business.senders.granted(self._read(business, "sender", given))
            if sender is None:
                own = ", ".join(business.senders.email + business.senders.sms) or "none"
                raise InvalidInputError(FieldError("sender", f"Must be one that the business has: {own}."))
            chosen: dict[str, Any] = {
                name: None for name in ("email_from", "text_from") if _is(sender, getattr(business, name))
            }
            business = replace(business, senders=business.senders.without(sender), **chosen)
            self.businesses.replace(business, [self.businesses.sender_holders(sender).without(business_id)])
            return business

        return retried(write)

    def list(self, business_id: str | None = None) -> Sequence[Grant]:
        """The senders of a business or, without one, of all. Raises ``NotFoundError``."""
        ids = sorted(self.businesses.ids()) if business_id is None else [business_id]
        return [
            _grant(business, sender)
            for business in map(self.businesses.get, ids)
            for sender in business.senders.email + business.senders.sms
        ]

    def grant_of(self, business: Business, given: str) -> Grant:
        """One that the business has, however it is written. Raises ``InvalidInputError``."""
        sender = self._read(business, "sender", given)
        return _grant(business, business.senders.granted(sender) or sender)

    def grant_old(self) -> OldSenders:
        """Make what businesses send from now a grant, also where several have it. Written anew, so idempotent."""
        business_ids = sorted(self.businesses.ids())
        having: defaultdict[str, list[str]] = defaultdict(list)
        outside: dict[str, str] = {}
        for business_id in business_ids:
            business = retried(partial(self._grant_own, business_id))
            for sender in business.senders.email + business.senders.sms:
                having[sender_key(sender)].append(business_id)
                if "@" in sender and not is_covered(sender, self.sender_identities):
                    outside[business_id] = sender
        return OldSenders(len(business_ids), {sender: ids for sender, ids in having.items() if len(ids) > 1}, outside)

    def _grant_own(self, business_id: str) -> Business:
        business = self.businesses.get(business_id)
        holders = []
        for sender in filter(None, (business.email_from, business.text_from)):
            business = replace(business, senders=business.senders.with_sender(sender))
            holders.append(self.businesses.sender_holders(sender).with_holder(business_id))
        self.businesses.replace(business, holders)
        return business

    def _read(self, business: Business, field: str, given: str) -> str:
        try:
            if "@" in given:
                return self.addresses.email(given)
            return text_sender(given, business.country, self.addresses)
        except ValueError as error:
            raise InvalidInputError(FieldError(field, str(error))) from None


def _grant(business: Business, sender: str) -> Grant:
    return Grant(business.business_id, sender, chosen=_is(sender, business.email_from, business.text_from))


def _is(sender: str, *chosen: str | None) -> bool:
    return any(each is not None and sender_key(each) == sender_key(sender) for each in chosen)
