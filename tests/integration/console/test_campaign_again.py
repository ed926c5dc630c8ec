"""Sending a campaign again to some: each of them gets it once, whoever is ticked with them; and totals that grow."""

import re
from copy import replace
from urllib.parse import urlencode

from rebound.campaigns.domain.campaigns import CampaignStatus
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, id_of
from tests.integration.conftest import Stack
from tests.integration.console.desk import Seen
from tests.integration.console.test_campaign import MOST_REQUESTS, PATH, counted, desk, sent


def test_nobody_gets_it_twice_who_was_among_others_before(stack: Stack) -> None:
    sent(CampaignStatus.COMPLETED)
    console, (first, second, third) = desk(stack), [id_of(56), id_of(57), id_of(58)]

    def again(*people: str) -> Seen:
        form = {"csrf": console.csrf, "customer": people, "number": str(len(people))}
        return console.send(f"{PATH}/send-again", urlencode(form, doseq=True))

    copy = again(first, second).location.partition("?")[0].rpartition("/")[2]
    refused = again(second, third)
    assert refused.status == 409
    assert "Ana57 Silva" in refused.text
    assert re.findall(r'name="customer" value="([^"]+)"', refused.text) == [third]
    assert again(second).status == 409
    assert len(house.ports().campaigns.page(BUSINESS_ID, 9, None).items) == 2
    with counted() as names:
        listed = console.get(f"{PATH}/left-out").text
    assert len(names) <= MOST_REQUESTS, names
    assert set(re.findall(r'name="customer" value="([^"]+)"', listed)) == {third}
    assert listed.count(f'campaigns/{copy}">Sent again') == 2
    assert "done=again" in again(third).location
    assert "done=again_before" in again(second, first).location


def test_whom_a_refused_copy_was_for_may_be_in_another(stack: Stack) -> None:
    sent(CampaignStatus.COMPLETED)
    console, people = desk(stack), [id_of(56), id_of(57)]
    for is_on in (False, True):
        assert stack.api("PATCH", "/v1/business", {"switches": {"email": is_on}}).status == 200
        ticked = people[-1:] if is_on else people
        form = {"csrf": console.csrf, "customer": ticked, "number": str(len(ticked))}
        seen = console.send(f"{PATH}/send-again", urlencode(form, doseq=True))
        assert seen.status == (303 if is_on else 409)


def test_a_total_is_called_so_far_while_not_everybody_was_looked_at(stack: Stack) -> None:
    sent(CampaignStatus.PAUSED)
    console, ledger = desk(stack), house.ports().expansion
    assert "found so far" not in console.get(PATH).text
    ledger.commit(replace(ledger.get(CAMPAIGN_ID, 0), done=False), [], {})
    paused = console.get(PATH).text
    assert "found so far" in paused
    assert "Paused before everybody was looked at" in paused
