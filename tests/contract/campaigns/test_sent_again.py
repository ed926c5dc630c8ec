"""Whom campaigns were sent to again: one suite against the fake and the tables."""

import pytest

from rebound.campaigns.domain.sent_again import Copy
from rebound.kernel.errors import ConcurrentChangeError
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, id_of


def test_copies_are_kept_and_taken_back(ports: EveryPorts) -> None:
    book, first, second = ports.sent_again, Copy("c1", (id_of(1), id_of(2))), Copy("c2", (id_of(3),))
    assert book.get(BUSINESS_ID, CAMPAIGN_ID).copies == ()
    book.replace(book.get(BUSINESS_ID, CAMPAIGN_ID).with_copy(first))
    book.replace(book.get(BUSINESS_ID, CAMPAIGN_ID).with_copy(second))

    sent = book.get(BUSINESS_ID, CAMPAIGN_ID)
    assert sent.by_customer == {id_of(1): "c1", id_of(2): "c1", id_of(3): "c2"}
    assert sent.of_just([id_of(2), id_of(1)]) == "c1"
    assert sent.of_just([id_of(1)]) is None
    book.replace(sent.without("c1"))
    assert book.get(BUSINESS_ID, CAMPAIGN_ID).copies == (second,)
    assert book.get("another", CAMPAIGN_ID).copies == ()


def test_of_two_who_send_again_at_once_one_is_told(ports: EveryPorts) -> None:
    read = ports.sent_again.get(BUSINESS_ID, "other")
    ports.sent_again.replace(read.with_copy(Copy("c1", (id_of(1),))))
    with pytest.raises(ConcurrentChangeError):
        ports.sent_again.replace(read.with_copy(Copy("c2", (id_of(1),))))
    assert ports.sent_again.get(BUSINESS_ID, "other").by_customer == {id_of(1): "c1"}
