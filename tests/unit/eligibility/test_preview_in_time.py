"""What is counted while a request waits gives up in time, and a job counts the same."""

from copy import replace
from datetime import date, timedelta
from typing import Any

import pytest

from rebound.businesses.application.timing import Timing
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.contacts import Recovery
from rebound.contacts.domain.reachability import Failure
from rebound.eligibility.application import preview_audience
from rebound.eligibility.application.preview_audience import Question
from rebound.jobs.domain import JobKind, JobStatus, audience_of
from rebound.kernel.audiences import Audience
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.provider_codes import Provider
from rebound.segments.application.find_customers import write_filter
from rebound.segments.domain.selections import CustomerFilter, Selection
from rebound.templates.domain.content import TextContent
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, SOFT, at, business, contact_key, customer, id_of
from tests.fakes.world import Chaos, World

EVERYBODY = Question({"all": []}, Channel.EMAIL, Category.MARKETING)


def large() -> World:
    """A business of 1,201 customers, of whom two have something known and 241 a failed address."""
    world = World()
    world.add(
        *(
            customer(n, failed_email=n % 5 == 0, email=None if n % 7 == 0 else f"ana{n}@example.com")
            for n in range(1, 1202)
        )
    )
    world.know(contact_key(1), Failure(at(0), "m", Provider.SES, NO_SUCH_MAILBOX))
    world.know(contact_key(2), ConsentEvidence(at(0), Scope.ALL, opted_out=True, source=ConsentSource.PROVIDER))
    world.rest()
    return world


def slow(world: World) -> World:
    """The same, when each page takes long."""
    read_range: Any = world.customers.read_range

    def slowly(*given: Any) -> Any:
        world.clock.move(timedelta(seconds=15))
        return read_range(*given)

    world.customers.read_range = slowly  # type: ignore[method-assign,assignment]
    return world


def test_a_preview_and_a_count_of_more_customers_than_they_have_time_for_give_up() -> None:
    world = slow(large())

    assert world.preview_audience(BUSINESS_ID, EVERYBODY) is None
    assert world.count_customers(BUSINESS_ID, CustomerFilter(failed="email")) is None


def test_whoever_posts_a_campaign_is_told_whom_it_reaches_however_long_that_takes() -> None:
    world = large()
    posted = world.post()
    later = world.post(timing=Timing(at(3600)))
    one_by_one = world.post(selection=Selection(customer_ids=(id_of(1), id_of(3), id_of(5000))))

    assert posted.foreseen == later.foreseen == world.preview_audience(BUSINESS_ID, EVERYBODY)
    assert posted.foreseen is not None
    assert one_by_one.foreseen is not None
    assert (one_by_one.foreseen.matched, dict(one_by_one.foreseen.excluded)) == (
        3,
        {"invalid_contact": 1, "not_found": 1},
    )
    assert slow(world).post().foreseen == posted.foreseen
    assert world.run(posted.campaign.campaign_id).audience.targeted == posted.foreseen.targeted


@pytest.mark.parametrize("most", [500, 501, 1000])
def test_whether_a_campaign_is_foreseen_depends_on_how_many_customers_there_are(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(preview_audience, "MOST_FORESEEN", most)
    world = World()
    world.add(*(customer(n) for n in range(most)))
    at_most = world.post(selection=Selection(filter={"field": "first_name", "equals": "nobody"})).foreseen
    world.add(customer(most))

    assert at_most == Audience()
    assert world.post(selection=Selection(filter={"field": "first_name", "equals": "nobody"})).foreseen is None
    named = world.post(selection=Selection(customer_ids=(id_of(1), id_of(2)))).foreseen
    assert named is not None
    assert named.matched == 2


def test_a_segment_is_foreseen_as_it_is_when_the_campaign_is_posted() -> None:
    world = large()
    world.segment_service.put(BUSINESS_ID, "failed", "Failed", {"failed": "email"})
    foreseen = world.post(selection=Selection(segment_id="failed")).foreseen

    assert foreseen is not None
    assert foreseen.matched == 240 + (0 if customer(1).failed_email else 1)


def test_a_preview_as_a_job_comes_to_the_same_whatever_dies() -> None:
    calm = large()
    expected = calm.preview_audience(BUSINESS_ID, EVERYBODY)
    world = slow(large())
    world.chaos = Chaos(death=0.1)
    view = world.run_to_end(world.job_service.start(BUSINESS_ID, JobKind.PREVIEW, EVERYBODY.written()))

    assert expected is not None
    assert dict(expected.excluded) == {"no_address": 171, "invalid_contact": 1, "opted_out": 1}
    assert view.job.status is JobStatus.COMPLETED
    assert audience_of(view.counts[0]) == expected
    assert world.deaths


def test_a_count_as_a_job_comes_to_the_same_whatever_dies() -> None:
    wanted = CustomerFilter(failed="any", q="ana")
    expected = large().count_customers(BUSINESS_ID, wanted)
    world = slow(large())
    world.chaos = Chaos(death=0.1)
    view = world.run_to_end(world.job_service.start(BUSINESS_ID, JobKind.COUNT, {"wanted": write_filter(wanted)}))

    assert expected is not None
    assert (expected["looked_at"], expected["count"], expected["email"]) == (1201, 241, 241)
    assert view.counts[0] == expected


def test_a_preview_with_content_foresees_for_whom_there_is_nothing_to_send() -> None:
    world = World()
    world.add(customer(1, birthday=date(1990, 1, 2)), customer(2))
    question = replace(EVERYBODY, channel=Channel.SMS, content=TextContent("##{{birthday}}"))
    audience = world.preview_audience(BUSINESS_ID, question)

    assert audience is not None
    assert (dict(audience.excluded), audience.targeted) == ({"cannot_render": 1}, 1)


def test_of_those_who_share_an_address_with_a_try_that_is_due_one_is_foreseen_to_get_a_reminder() -> None:
    world = World(business(recovery=Recovery(spaced=True)))
    world.add(*(customer(number, email="family@example.com") for number in (1, 2, 3)), customer(4))
    key = ContactKey(BUSINESS_ID, Channel.EMAIL, "family@example.com")
    world.know(key, *(Failure(at(-n) - timedelta(days=9), f"m{n}", Provider.SES, SOFT) for n in range(5)))
    audience = world.preview_audience(BUSINESS_ID, replace(EVERYBODY, category=Category.REMINDER))

    assert audience is not None
    assert (dict(audience.excluded), audience.targeted) == ({"waiting_for_retry": 2}, 2)


def test_a_first_look_names_everybody_of_few_and_some_of_many() -> None:
    world = large()
    draft = world.post(is_draft=True).campaign
    listed = replace(draft, selection=Selection(customer_ids=(id_of(1), id_of(2), id_of(3))))
    look = world.preview_audience.first_look(business(), draft, 1201)
    counted = world.preview_audience(BUSINESS_ID, EVERYBODY)
    assert look.everybody is not None
    assert counted is not None
    assert len(look.meant) == len(look.everybody) == counted.matched
    for reason, number in counted.excluded.items():
        assert sum(each.is_because_of(reason) for each in look.everybody) == number
    some = world.preview_audience.first_look(business(), draft, 1200)
    assert (some.everybody, len(some.meant)) == (None, 1201)
    of_list = [world.preview_audience.first_look(business(), listed, most).everybody for most in (2, 3)]
    assert of_list[0] is None
    assert {each.customer.customer_id for each in of_list[1] or ()} == {id_of(1), id_of(2), id_of(3)}


def test_a_page_of_those_who_are_rare_ends_after_so_many_were_looked_at_and_the_pages_have_all() -> None:
    world = large()
    found, cursor, pages = list[str](), None, 0
    while pages == 0 or cursor is not None:
        page = world.preview_audience.recipients(
            BUSINESS_ID, EVERYBODY, limit=50, cursor=cursor, reason="opted_out", most=100
        )
        found += [each.customer.customer_id for each in page.items]
        cursor, pages = page.next_cursor, pages + 1
    assert found == [id_of(2)]
    assert pages > 1
