"""Waivers, and who was asked to sign them: one suite against the fake and the tables."""

from typing import Any, Final

import pytest

from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.sequences.domain.waivers import (
    MAX_NOTE,
    MAX_URL,
    MAX_VERSION,
    MOST_VERSIONS,
    Ask,
    AskKey,
    AskState,
    Posting,
    Waiver,
)
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, id_of

WAIVER: Final = "house-rules"
POSTED: Final = Posting("2", "new", "https://sign.example.com")


def waiver(waiver_id: str = WAIVER, business_id: str = BUSINESS_ID) -> Waiver:
    return Waiver(business_id=business_id, waiver_id=waiver_id).with_version(POSTED, at())


def ask(customer: int = 1, waiver_id: str = WAIVER, version: int = 1, **given: Any) -> Ask:
    defaults: dict[str, Any] = {
        "key": AskKey(BUSINESS_ID, waiver_id, id_of(customer)),
        "number": version,
        "state": AskState.ASKED,
        "asked_at": at(),
        "asked_by": 1,
        "channel": Channel.EMAIL,
    }
    return Ask(**{**defaults, **given})


def test_a_waiver_is_read_as_it_was_written_and_only_by_its_business(ports: EveryPorts) -> None:
    first = ports.waivers.save(waiver())
    second = ports.waivers.save(first.with_version(Posting("3", None, "https://sign.example.com/3"), at(5)))
    other = ports.waivers.save(waiver("a-waiver"))
    ports.waivers.save(waiver(business_id="another"))

    assert ports.waivers.get(BUSINESS_ID, WAIVER) == second
    assert [each.number for each in second.versions] == [1, 2]
    assert list(ports.waivers.all(BUSINESS_ID)) == [other, second]
    assert list(ports.waivers.all("nobody")) == []
    with pytest.raises(NotFoundError):
        ports.waivers.get("nobody", WAIVER)


@pytest.mark.parametrize("letter", ["\N{GRINNING FACE}", '"'])
def test_as_many_versions_as_there_may_be_fit_a_row_however_long_they_are(ports: EveryPorts, letter: str) -> None:
    full = Waiver(business_id=BUSINESS_ID, waiver_id=WAIVER)
    for number in range(MOST_VERSIONS):
        url = "https://sign.example.com/"
        name = f"{number}{letter * MAX_VERSION}"[:MAX_VERSION]
        full = full.with_version(Posting(name, letter * MAX_NOTE, url + letter * (MAX_URL - len(url))), at())

    saved = ports.waivers.save(full)
    assert ports.waivers.get(BUSINESS_ID, WAIVER) == saved


def test_only_one_of_two_writes_a_waiver(ports: EveryPorts) -> None:
    first = ports.waivers.save(waiver())
    for stale in (waiver(), first):
        ports.waivers.save(ports.waivers.get(BUSINESS_ID, WAIVER))
        with pytest.raises(ConcurrentChangeError):
            ports.waivers.save(stale)


def test_who_was_asked_is_read_as_it_was_written(ports: EveryPorts) -> None:
    full = ask(version=3, attempt=3, is_told=True, gone_by=at(7), former={1: AskState.SIGNED, 2: AskState.WITHDRAWN})
    bare = ask(2, channel=None, state=AskState.UNREACHED)
    saved = [ports.asks.save(full), ports.asks.save(bare)]

    assert [ports.asks.get(each.key) for each in saved] == saved
    assert ports.asks.get(AskKey("another", WAIVER, id_of(1))) is None
    assert ports.asks.get(AskKey(BUSINESS_ID, "other", id_of(1))) is None


def test_only_one_of_two_asks(ports: EveryPorts) -> None:
    first = ports.asks.save(ask())
    with pytest.raises(ConcurrentChangeError):
        ports.asks.save(ask())
    ports.asks.save(first)
    with pytest.raises(ConcurrentChangeError):
        ports.asks.save(first)


def test_who_is_forgotten_may_be_asked_anew(ports: EveryPorts) -> None:
    key = ports.asks.save(ask()).key
    for _ in range(2):
        ports.asks.forget(key)
    assert ports.asks.get(key) is None
    assert ports.asks.save(ask()).key == key
