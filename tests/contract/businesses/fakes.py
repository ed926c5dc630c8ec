"""Businesses and the queue of what is to be copied again, in memory."""

from collections.abc import Collection, Sequence
from copy import replace
from functools import cached_property
from typing import Any

from rebound.businesses.domain.business import Business, Recopying
from rebound.businesses.domain.holds import HoldPolicy
from rebound.businesses.domain.senders import SenderHolders, sender_key
from rebound.businesses.domain.text_prices import TextPrice
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, NotFoundError
from rebound.kernel.pages import Page
from rebound.kernel.provider_codes import Provider
from tests.contract.access.fakes import MemoryAccessPorts
from tests.contract.contacts.fakes import MemoryContactsPorts
from tests.contract.platform.fakes import FakeClock
from tests.fakes.cursors import page_of, read_cursor
from tests.fakes.queues import MemoryQueue


class MemoryBusinessDirectory:
    """Implements ``BusinessDirectory``."""

    def __init__(self, *businesses: Business) -> None:
        self._rows = {business.business_id: business for business in businesses}
        self._senders = {(business.text_from, business.business_id) for business in businesses}
        self._holders: dict[str, SenderHolders] = {}

    def get(self, business_id: str) -> Business:
        try:
            return self._rows[business_id]
        except KeyError:
            raise NotFoundError("business") from None

    def add(self, business: Business, holders: Sequence[SenderHolders] = ()) -> None:
        if business.business_id in self._rows:
            raise ConflictError("business_id_taken", "There is a business with this id already.")
        self._write(replace(business, version=1), holders)

    def page(self, limit: int, cursor: str | None, q: str | None = None) -> Page[Business]:
        after, wanted = read_cursor(cursor) or "", (q or "").casefold()
        found = [
            (id_, business)
            for id_, business in sorted(self._rows.items())
            if id_ > after and (wanted in business.name.casefold() or wanted in id_)
        ]
        return page_of(found, limit)

    def ids(self) -> Sequence[str]:
        return list(self._rows)

    def having_sent_from(self, senders: Collection[str]) -> Sequence[Business]:
        found = {business_id for sender, business_id in self._senders if sender in senders}
        return [self._rows[business_id] for business_id in sorted(found)]

    def sender_holders(self, sender: str) -> SenderHolders:
        return replace(self._holders.get(sender_key(sender), SenderHolders(sender)), sender=sender)

    def replace(self, business: Business, holders: Sequence[SenderHolders] = ()) -> None:
        stored = self._rows.get(business.business_id)
        if stored is None or stored.version != business.version:
            raise ConcurrentChangeError
        self._write(replace(business, version=business.version + 1), holders)

    def _write(self, business: Business, holders: Sequence[SenderHolders]) -> None:
        if any(self.sender_holders(held.sender).version != held.version for held in holders):
            raise ConcurrentChangeError
        self._holders |= {sender_key(held.sender): replace(held, version=held.version + 1) for held in holders}
        self._rows[business.business_id] = business
        self._senders.add((business.text_from, business.business_id))


class MemoryRecopyQueue:
    """Implements ``RecopyQueue``."""

    def __init__(self, clock: FakeClock) -> None:
        self.queue: MemoryQueue[Recopying] = MemoryQueue(clock)

    def put(self, work: Recopying) -> None:
        self.queue.send(work)


class MemoryHoldPolicies:
    """Implements ``HoldPolicyBook``."""

    def __init__(self) -> None:
        self.kept: HoldPolicy | None = None

    def get(self) -> HoldPolicy | None:
        return self.kept and self.kept.as_taken_now

    def put(self, policy: HoldPolicy | None) -> None:
        self.kept = policy


class MemoryTextPrices:
    """Implements ``TextPriceBook``."""

    def __init__(self) -> None:
        self._prices: dict[str, TextPrice] = {}

    def get(self, country: str, provider: Provider) -> TextPrice | None:
        return self._prices.get(f"{country}-{provider}")

    def put(self, price: TextPrice) -> None:
        self._prices[f"{price.country}-{price.provider}"] = price

    def delete(self, country: str, provider: Provider) -> None:
        if self._prices.pop(f"{country}-{provider}", None) is None:
            raise NotFoundError("text price")

    def page(self, limit: int, cursor: str | None) -> Page[TextPrice]:
        after = read_cursor(cursor) or ""
        return page_of([(id_, price) for id_, price in sorted(self._prices.items()) if id_ > after], limit)


class MemoryReboundMail:
    """Implements ``ReboundMail``."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, str]] = []

    def send(self, sender: str, to: str, subject: str, text: str) -> None:
        self.sent.append((sender, to, subject, text))


class MemoryBusinessesPorts(MemoryAccessPorts, MemoryContactsPorts):
    """Implements ``BusinessesPorts`` with the businesses that there are at first."""

    default_text_provider = Provider.TWILIO
    sender_identities = ("salon.example.com", "example.com")

    def __init__(self, *given: Business, **more: Any) -> None:
        super().__init__(**more)
        self._given = given

    @cached_property
    def hold_policies(self) -> MemoryHoldPolicies:
        return MemoryHoldPolicies()

    @cached_property
    def text_prices(self) -> MemoryTextPrices:
        return MemoryTextPrices()

    @cached_property
    def businesses(self) -> MemoryBusinessDirectory:
        return MemoryBusinessDirectory(*self._given)

    @cached_property
    def rebound_mail(self) -> MemoryReboundMail:
        return MemoryReboundMail()

    @cached_property
    def recopy_queue(self) -> MemoryRecopyQueue:
        return MemoryRecopyQueue(self.clock)
