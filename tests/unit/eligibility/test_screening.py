"""Many customers decided on together: what is remembered from one to the next, and what is read for them."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from rebound.businesses.application.timing import Timing
from rebound.contacts.domain.contacts import Recovery
from rebound.contacts.domain.reachability import Failure
from rebound.eligibility.application.audience import supposed_mailing
from rebound.eligibility.application.preview_audience import Question
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.provider_codes import Provider
from rebound.segments.domain.selections import Selection
from rebound.sending.application import run_campaign
from tests.fakes.making import BUSINESS_ID, at, business, contact_key, customer, everybody
from tests.fakes.world import World

DAY: Final = timedelta(days=1)


def household(people: int) -> World:
    """Customers who share a flagged address at which a try is due."""
    world = World(business(recovery=Recovery(probe_marketing=True)), ranges=1)
    world.add(*(customer(number, email="ana1@example.com") for number in range(1, people + 1)))
    world.know(contact_key(1), Failure(at(0) - 2 * DAY, "m", Provider.SES, "Transient/MailboxFull"))
    return world


@pytest.mark.parametrize("people", [1, 2, 5])
@pytest.mark.parametrize("page", [1, 2, 500])
def test_a_try_that_is_due_is_foreseen_for_one_of_those_who_share_the_address(
    monkeypatch: pytest.MonkeyPatch, people: int, page: int
) -> None:
    """Also from one page to the next, as only one of them will be sent to."""
    monkeypatch.setattr(run_campaign, "PAGE", page)
    world = household(people)
    foreseen = world.preview_audience(BUSINESS_ID, Question(everybody(), Channel.EMAIL, Category.MARKETING))
    view = world.run(world.post().campaign.campaign_id)

    assert foreseen is not None
    assert (foreseen.targeted, sum(foreseen.excluded.values())) == (1, people - 1)
    assert dict(view.audience.excluded) == dict(foreseen.excluded)
    assert (view.audience.targeted, len(world.mailer.handed)) == (1, 1)


@pytest.mark.parametrize("send_at", [None, at(60)])
@pytest.mark.parametrize("local_time", [None, datetime(2026, 11, 21, 9)])  # noqa: DTZ001 - by the recipient's clock
def test_a_supposed_mailing_has_the_times_that_were_asked_for(
    send_at: datetime | None, local_time: datetime | None
) -> None:
    timing = Timing(send_at, local_time, at(86400))
    mailing = supposed_mailing(BUSINESS_ID, Channel.SMS, Category.REMINDER, timing=timing)

    assert (mailing.local_time, mailing.expires_at) == (local_time, at(86400))
    # A local time begins where the day begins first: fourteen hours before it does in London.
    assert mailing.send_at == (send_at if local_time is None else datetime(2026, 11, 20, 19, tzinfo=UTC))


@pytest.mark.parametrize("given", [{"exclude_failed": False}, {"single": True}, {"selection": Selection("vips")}, {}])
def test_a_supposed_mailing_is_as_it_was_asked_for(given: dict[str, Any]) -> None:
    mailing = supposed_mailing(BUSINESS_ID, Channel.SMS, Category.REMINDER, **given)
    expected: dict[str, Any] = {"exclude_failed": True, "single": False, "selection": Selection(), **given}

    assert (mailing.channel, mailing.category, mailing.run_id) == (Channel.SMS, Category.REMINDER, None)
    assert (mailing.exclude_failed, mailing.selection) == (expected["exclude_failed"], expected["selection"])
    assert getattr(mailing, "single", expected["single"]) is expected["single"]
