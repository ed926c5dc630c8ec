"""Tests of campaigns and templates: who may get them is asked first, and then they are sent."""

from __future__ import annotations

from collections.abc import Callable
from copy import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from rebound.businesses.application.settings_of_business import changed_business, test_recipient
from rebound.businesses.domain.business import Business, RecipientOfTests
from rebound.campaigns.application.barriers import check_barrier
from rebound.campaigns.domain.campaigns import Campaign
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import ConflictError, FieldError, InvalidInputError, TooSoonError
from rebound.kernel.local_time import seconds_until_tomorrow
from rebound.kernel.receipts import TESTED, MessageKey
from rebound.kernel.times import write_time
from rebound.messages.domain.messages import Message
from rebound.preferences.domain import test_question
from rebound.sending.domain.recipients import customer_of_tests
from rebound.templates.domain.content import Content, MadeFrom, Said, TemplateContent, marked
from rebound.templates.domain.rendering import check_content, filled_in, values_of
from rebound.templates.domain.sendable import for_one
from rebound.templates.domain.template import Template
from rebound.templates.domain.variables import examples_of

if TYPE_CHECKING:
    from rebound.businesses.application.settings_of_business import BusinessChange, SettingsOfBusiness
    from rebound.businesses.ports import BusinessDirectory
    from rebound.campaigns.application.campaign_service import CampaignService
    from rebound.contacts.ports import AddressReader
    from rebound.messages.domain.vouchers import Voucher
    from rebound.messages.ports import MessageLog
    from rebound.platform.ports import Clock, Ids, RequestIds
    from rebound.sending.application.post_test import PostTest
    from rebound.templates.application.make_version import MakeVersion, NewVersion
    from rebound.templates.application.template_contents import TemplateContents
    from rebound.templates.application.template_service import TemplateService
    from rebound.templates.domain.template import TemplateVersion

MARK: Final = "[Test] "
TESTS_AN_HOUR: Final = 10
"""To one address, by the hours of the clock."""
QUESTIONS_A_DAY: Final = 10
"""Of one business, by its calendar; an address is asked once a day."""
HOUR: Final = timedelta(hours=1)
_TO_THE_HOUR: Final = len("2026-11-29T18")


def _with_content(campaign: Campaign, tier: str | None, variant: str | None) -> Campaign:
    """The campaign as it says something to a tier, or by a variant; the first of them unless it is named.

    Raises ``InvalidInputError``.
    """
    contents, variants = campaign.contents, () if campaign.split is None else campaign.split.variants
    if variant is not None and variant not in [each.name for each in variants]:
        names = ", ".join(each.name for each in variants)
        message = f"Must be one of {names}." if names else "Is for campaigns with variants; this one has one content."
        raise InvalidInputError(FieldError("variant", message))
    for each in variants if tier is None else ():
        if each.content is not None and variant in (None, each.name):
            return replace(campaign, content=each.content, split=None)
    if contents is None:
        if tier is not None:
            raise InvalidInputError(
                FieldError("tier", "Is for campaigns with contents by tier; this one has one content.")
            )
        return campaign
    if tier is not None and tier not in contents:
        raise InvalidInputError(FieldError("tier", f"Must be one of {', '.join(contents)}."))
    return replace(campaign, content=contents[tier or next(iter(contents))])


class Turns(Struct, frozen=True, kw_only=True):
    """Gives something out a limited number of times; whatever is given out is not given back."""

    ids: Ids
    request_ids: RequestIds
    clock: Clock

    def take(self, business_id: str, name: str, most: int) -> bool:
        """Whether there was one left of ``most`` under this name."""
        now = self.clock.now()
        for number in range(most):
            proposed = self.ids.ulid(now)
            if self.request_ids.id_for(business_id, f"{name}#{number}", proposed) == proposed:
                return True
        return False


class ChangeSettings(Struct, frozen=True, kw_only=True):
    """Changes the settings of a business, and asks new test recipients whether they agree."""

    settings: SettingsOfBusiness
    businesses: BusinessDirectory
    addresses: AddressReader
    post: PostTest
    turns: Turns
    messages: MessageLog
    clock: Clock
    ids: Ids
    request_ids: RequestIds

    def __call__(self, business_id: str, change: BusinessChange) -> Business:
        """The settings after the change.

        Whoever is named as a test recipient and has not confirmed is asked, at most once on each day; who cannot be,
        because the business sends nothing there yet, is asked when they are named again. Raises ``InvalidInputError``
        and ``TooSoonError``, and then nothing is changed.
        """
        if "test_recipients" not in change:
            return self.settings.change(business_id, change)
        before = self.businesses.get(business_id)
        meant = changed_business(before, change, self.addresses)
        to_ask = [r for r in meant.test_recipients if r.confirmed_at is None and meant.barrier(r.channel) is None]
        now = self.clock.now()
        today = now.astimezone(ZoneInfo(before.time_zone)).date()
        asked = {each: name for each in to_ask if (name := self._question(meant, each, today)) is not None}
        business = self.settings.change(business_id, change)
        for each, name in asked.items():
            self.post(
                business_id,
                channel=each.channel,
                address=each.address,
                category=Category.TRANSACTIONAL,
                content=test_question(business.language, each.channel),
                request=name,
            )
        return business

    def _question(self, business: Business, asked: RecipientOfTests, today: date) -> str | None:
        """What today's question to an address is called; ``None`` when it has been posted.

        Raises ``TooSoonError`` when too many addresses have been asked.
        """
        business_id, now = business.business_id, self.clock.now()
        name = f"test-question#{ContactKey(business_id, asked.channel, asked.address).hashed}#{today}"
        message_id = self.request_ids.id_for(business_id, name, self.ids.ulid(now))
        if self.messages.get_many([MessageKey(business_id, TESTED, message_id)]):
            return None
        if not self.turns.take(business_id, f"test-questions#{today}", QUESTIONS_A_DAY):
            raise TooSoonError(
                f"{QUESTIONS_A_DAY} test recipients have been asked today; name others tomorrow.",
                seconds_until_tomorrow(now, business.time_zone),
            )
        return name


class PostToTestRecipient(Struct, frozen=True, kw_only=True):
    """Queues a test to somebody who has agreed to get tests, so often at most."""

    businesses: BusinessDirectory
    addresses: AddressReader
    post: PostTest
    turns: Turns
    clock: Clock

    def __call__(
        self,
        business_id: str,
        to: str,
        *,
        channel: Channel,
        category: Category,
        content: Callable[[], Said],
        voucher: Voucher | None = None,
        request: str | None = None,
        own_address: str | None = None,
    ) -> Message:
        """Queue the test; ``content`` is asked for what it says once it may be sent.

        Who asks may name an ``own_address``, an email address that they have shown to be theirs by signing in: no
        other agreement is needed for that. Raises ``InvalidInputError``, ``ConflictError`` when the address has not
        confirmed or nothing is sent on the channel, and ``TooSoonError``.
        """
        business = self.businesses.get(business_id)
        recipient = self._recipient(business, to, own_address)
        if recipient.channel is not channel:
            what = "an email address" if channel is Channel.EMAIL else "a number"
            raise InvalidInputError(FieldError("to", f"The campaign goes by {channel}: must be {what}."))
        if recipient.confirmed_at is None and recipient.address != own_address:
            raise ConflictError(
                "test_recipient_unconfirmed", "The address has not confirmed yet that tests may be sent to it."
            )
        check_barrier(business, channel)
        now = self.clock.now()
        key = ContactKey(business_id, recipient.channel, recipient.address).hashed
        if not self.turns.take(business_id, f"test#{key}#{write_time(now)[:_TO_THE_HOUR]}", TESTS_AN_HOUR):
            left = now.replace(minute=0, second=0, microsecond=0) + HOUR - now
            raise TooSoonError(
                f"{TESTS_AN_HOUR} tests have been sent to this address within this hour; try again in the next.",
                max(1, -(-left // timedelta(seconds=1))),
            )
        return self.post(
            business_id,
            channel=channel,
            address=recipient.address,
            category=category,
            content=content(),
            voucher=voucher,
            request=request,
        )

    def _recipient(self, business: Business, to: str, own_address: str | None) -> RecipientOfTests:
        try:
            meant = test_recipient(to, business.country, self.addresses)
        except ValueError as error:
            raise InvalidInputError(FieldError("to", str(error))) from None
        for each in business.test_recipients:
            if (each.channel, each.address) == (meant.channel, meant.address):
                return each
        if (meant.channel, meant.address) == (Channel.EMAIL, own_address):
            return meant
        raise InvalidInputError(FieldError("to", "Must be one of test_recipients: name it with PATCH /v1/business."))


class SendTest(Struct, frozen=True, kw_only=True):
    """Sends a campaign as a test: marked, filled with made-up values, in no audience and no results."""

    view: CampaignService
    post: PostToTestRecipient
    template_contents: TemplateContents

    def __call__(
        self,
        business_id: str,
        campaign_id: str,
        to: str,
        request: str | None = None,
        tier: str | None = None,
        variant: str | None = None,
    ) -> Message:
        """Queue the test to one of the business's test recipients.

        ``tier`` or ``variant`` says which of several contents to try.

        Raises ``NotFoundError``, and as ``PostToTestRecipient``.
        """
        campaign = _with_content(self.view.find(business_id, campaign_id), tier, variant)
        return self.post(
            business_id,
            to,
            channel=campaign.channel,
            category=campaign.category,
            content=lambda: self._marked(campaign),
            voucher=campaign.voucher,
            request=request,
        )

    def _marked(self, campaign: Campaign) -> Said:
        """What it says, of which everybody sees that it is a test. Raises ``InvalidInputError``."""
        said = campaign.content
        if not isinstance(said, TemplateContent):
            return marked(said, MARK)
        made = self.template_contents.made(campaign.business_id, said.made_from, campaign.channel, campaign.category)
        return replace(made, mark=MARK)


class SendTemplateTest(Struct, frozen=True, kw_only=True):
    """Sends a template as a test, also a draft or what is not saved, with the examples of its variables."""

    templates: TemplateService
    make_version: MakeVersion
    businesses: BusinessDirectory
    post: PostToTestRecipient
    clock: Clock

    def __call__(
        self,
        business_id: str,
        template_id: str,
        to: str,
        *,
        number: int | None = None,
        own_address: str | None = None,
    ) -> Message:
        """Queue the test of a version, by default of what is published, to a test recipient or the ``own_address``.

        Raises ``NotFoundError``, and as ``PostToTestRecipient``.
        """
        version = self.templates.get(business_id, template_id, number=number).version
        return self._posted(version, to, own_address)

    def unsaved(self, business_id: str, new: NewVersion, language: str, own_address: str) -> Message:
        """Queue the test of what a version is to say to a reader of a language, to whoever works on it.

        Raises ``InvalidInputError`` with paths as for the version, and as ``PostToTestRecipient``.
        """
        template = Template(business_id=business_id, template_id="-")
        version = self.make_version(template, 1, new, self.clock.now()).version
        return self._posted(version, own_address, own_address, language)

    def _posted(self, version: TemplateVersion, to: str, own_address: str | None, language: str = "") -> Message:
        return self.post(
            version.business_id,
            to,
            channel=version.channel,
            category=version.category,
            content=lambda: self._said(version, language),
            own_address=own_address,
        )

    def _said(self, version: TemplateVersion, language: str) -> Content:
        """What it says to a reader of the language, by default of the business's.

        It is written out, because the row of a draft may be gone by the time that the test is sent.
        """
        business = self.businesses.get(version.business_id)
        reader = customer_of_tests(version.business_id, version.channel, "", self.clock.now())
        reader = replace(reader, language=language) if language else reader
        known = values_of(reader, business)
        examples = {name: each for name, each in examples_of(version.variables).items() if not known.get(name)}
        said = version.content_for(MadeFrom(version.template_id, version.version, examples))
        found = for_one(said, reader, business)
        if found is None:
            raise AssertionError("every variable has an example")
        own = {name: found.values[name] for name in version.variables}
        content = filled_in(found.content, own, found.addresses)
        check_content(content, version.category)
        return marked(content, MARK)
