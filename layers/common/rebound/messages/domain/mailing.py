"""Mailings: what is sent to whom."""

from collections.abc import Callable, Mapping
from copy import replace
from datetime import datetime
from hashlib import sha256
from typing import Self, cast

from msgspec import Struct

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import COVERED_BY, Scope
from rebound.kernel.errors import FieldError
from rebound.kernel.ids import BASE32, TIME_DIGITS
from rebound.kernel.placeholders import NOTHING_MORE, SAMPLE_VALUES
from rebound.messages.domain.variants import Split
from rebound.messages.domain.vouchers import Voucher
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import Said, TemplateContent
from rebound.templates.domain.footers import one_click_scope


class Mailing(Struct, frozen=True, kw_only=True):
    """Messages to everybody in ``selection``, each with an id that follows from ``run_id`` and the customer (truth 7).

    ``run_id`` is a ULID, set once it is known when the mailing is sent. ``single`` marks one message to one person,
    which may ask for the confirmation of an appointment, or (``asks_consent``) whether marketing is wanted.
    ``local_time`` is the wall-clock time at which each recipient gets the message in their own zone; ``send_at`` is
    then the moment at which the first clock on earth shows that time. Nothing is handed over from ``expires_at`` on.
    ``over_limit`` says that the business may not reach so many (``Business.recipient_limit``), so that nobody gets it.
    ``include_customer_ids`` get it although their contact is flagged, ``exclude_customer_ids`` do not get it; nobody is
    in both. ``content`` is ``None`` where only the kind of message is known. A mailing with ``contents``,
    by loyalty tier, is for those whom the selection means and who are of none of these tiers: it says nothing. With a
    ``split`` it says something else to some than to others (``for_customer``), or nothing to some, for the sake of
    comparison; ``content`` is then that of the first variant, if there are any.
    """

    business_id: str
    category: Category
    channel: Channel
    selection: Selection
    exclude_failed: bool = True
    include_customer_ids: frozenset[str] = frozenset()
    exclude_customer_ids: frozenset[str] = frozenset()
    send_at: datetime | None = None
    local_time: datetime | None = None
    expires_at: datetime | None = None
    run_id: str | None = None
    single: bool = False
    asks_confirmation: bool = False
    asks_consent: bool = False
    over_limit: bool = False
    content: Said | None = None
    contents: Mapping[str, Said] | None = None
    voucher: Voucher | None = None
    split: Split | None = None

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The consent scopes that its messages need."""
        return COVERED_BY[Scope.ALL] if self.asks_consent else self.category.scopes(to_many=not self.single)

    @property
    def one_click_scope(self) -> Scope | None:
        """What one click in one of its emails stops; ``None`` where nothing less than everything would stop it."""
        return None if self.asks_consent else one_click_scope(self.category)

    @property
    def more_values(self) -> Mapping[str, str]:
        """Samples of what its messages say besides what is known of the recipient: a voucher's values.

        What is asked about before there is a campaign may have the placeholders; a template declares its own.
        """
        if self.voucher is None and isinstance(self.content, TemplateContent):
            return NOTHING_MORE
        return SAMPLE_VALUES

    @property
    def once_per_address(self) -> bool:
        """Whether one message goes to each address, however many of those who are meant share it."""
        return self.category.is_promotional and not self.single

    @property
    def before_holdout(self) -> Self:
        """The mailing as it would be if nobody were held out: what decides about them comes first."""
        split = self.split
        if split is None or not split.holdout:
            return self
        return cast("Self", replace(self, split=replace(split, holdout=0)))

    def for_customer(self, customer_id: str) -> Self:
        """The mailing as it says something to one customer; who is held out would have got that too."""
        drawn = None if self.split is None else self.split.drawn_by(customer_id)
        return self if drawn is None else cast("Self", replace(self, content=drawn.content))

    def variant_of(self, customer_id: str) -> str | None:
        """The name of the variant that a customer gets, if there are any and they are not held out."""
        return None if self.split is None else self.split.variant_of(customer_id)

    @property
    def all_said(self) -> tuple[Said | None, ...]:
        """Everything that it says to one or another, apart from loyalty tiers."""
        variants = () if self.split is None else self.split.variants
        return tuple(each.content for each in variants) if variants else (self.content,)

    def with_said(self, made: Callable[[Said], Said]) -> Self:
        """The mailing with something made of what it says, to whomever."""
        content = None if self.content is None else made(self.content)
        if self.split is None or not self.split.variants:
            return cast("Self", replace(self, content=content))
        variants = tuple(
            each if each.content is None else replace(each, content=made(each.content)) for each in self.split.variants
        )
        split = replace(self.split, variants=variants)
        return cast("Self", replace(self, content=variants[0].content, split=split))

    def starts_at(self, now: datetime) -> datetime:
        """When its audience is fixed and the first message may go out, if it is accepted ``now``."""
        return max(now, self.send_at or now)

    def message_id(self, customer_id: str) -> str:
        """The id of this run's message to a customer: always the same, and no other message has it.

        A ULID with the run's time, so that ids sort by time of sending; its random part is a hash of run and customer.
        Raises ``ValueError`` before the mailing has been planned.
        """
        if self.run_id is None:
            raise ValueError("it has not been planned")
        if self.single:
            return self.run_id
        number = int.from_bytes(sha256(f"{self.run_id}#{customer_id}".encode()).digest()[:10])
        digits = (BASE32[number >> shift & 31] for shift in range(75, -5, -5))
        return self.run_id[:TIME_DIGITS] + "".join(digits)


def in_both_lists(include: frozenset[str], exclude: frozenset[str]) -> list[FieldError]:
    """What is wrong where customers are both to be added back and to be taken out."""
    both = len(include & exclude)
    if not both:
        return []
    who = "a customer who is" if both == 1 else f"{both} customers who are"
    message = f"Names {who} to be added back as well (include_customer_ids, include_external_ids): only one can hold."
    return [FieldError("exclude_customer_ids", message)]
