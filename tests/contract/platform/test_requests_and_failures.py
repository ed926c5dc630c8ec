"""Ids of requests and the last words about messages: one suite against the fakes and the tables."""

from copy import replace

from rebound.platform.ports import FailedHandling
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    BUSINESS_ID,
    at,
)


def test_the_last_word_about_a_message_that_failed_is_kept(ports: EveryPorts) -> None:
    first = FailedHandling("m1", "NotFoundError: No such campaign. (at get:1)", at(0), at(5), 2)
    last = replace(first, failed_at=at(365), receives=3)
    other = FailedHandling("m2", "malformed: bounce.timestamp is missing", at(1), at(2), 2)
    for failure in (first, last, other):
        ports.failure_log.record(failure)

    assert ports.failure_log.get_many(["m1", "m2", "m3", "m1"]) == {"m1": last, "m2": other}
    assert ports.failure_log.get_many([]) == {}


def test_a_request_keeps_the_id_that_was_proposed_first(ports: EveryPorts) -> None:
    assert ports.request_ids.id_for(BUSINESS_ID, "/v1/campaigns#é", "first") == "first"
    assert ports.request_ids.id_for(BUSINESS_ID, "/v1/campaigns#é", "second") == "first"
    assert ports.request_ids.id_for(BUSINESS_ID, "/v1/campaigns#other", "second") == "second"
    assert ports.request_ids.id_for("other", "/v1/campaigns#é", "third") == "third"
