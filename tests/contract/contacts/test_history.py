"""The history of an address: one suite against the fake and the tables."""

import pytest

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.history import ConsentStated, FlagChanged, HistoryEntry, place_of
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import InvalidInputError
from tests.fakes.house import EveryPorts
from tests.fakes.making import (
    NO_SUCH_MAILBOX,
    at,
    contact_key,
)

HISTORY: list[HistoryEntry] = [
    ConsentStated(ConsentEvidence(at(1), Scope.ALL, True, ConsentSource.KEYWORD, "SM1", words="Stop!")),
    FlagChanged(at(2), NO_SUCH_MAILBOX, "change-1"),
    ConsentStated(ConsentEvidence(at(3), Scope.LOYALTY, False, ConsentSource.STAFF, who="Kim", words="asked for it")),
    FlagChanged(at(4), None, "change-2"),
]


def test_the_history_of_an_address_is_kept_once_and_shown_the_latest_first(ports: EveryPorts) -> None:
    ports.contact_history.record(contact_key(1), HISTORY[2:])
    ports.contact_history.record(contact_key(1), HISTORY)
    ports.contact_history.record(contact_key(1), [])
    ports.contact_history.record(contact_key(2), [*HISTORY[:1], *HISTORY[:1]])

    assert list(ports.contact_history.page(contact_key(1), 10, None).items) == HISTORY[::-1]
    assert list(ports.contact_history.page(contact_key(2), 10, None).items) == HISTORY[:1]
    assert list(ports.contact_history.page(contact_key(3), 10, None).items) == []


def test_the_history_before_a_place_goes_on_behind_the_last_entry_shown(ports: EveryPorts) -> None:
    ports.contact_history.record(contact_key(1), HISTORY)
    found: list[HistoryEntry] = []
    while entries := ports.contact_history.before(contact_key(1), place_of(found[-1]) if found else None, 2):
        found += entries

    assert found == HISTORY[::-1]
    assert ports.contact_history.before(contact_key(2), None, 2) == []


def test_the_history_comes_in_pages_and_is_found_under_the_hash_of_the_address(ports: EveryPorts) -> None:
    ports.contact_history.record(contact_key(1), HISTORY)
    first = ports.contact_history.page(contact_key(1).hashed, 3, None)
    rest = ports.contact_history.page(contact_key(1), 3, first.next_cursor)

    assert [*first.items, *rest.items] == HISTORY[::-1]
    assert rest.next_cursor is None
    with pytest.raises(InvalidInputError):
        ports.contact_history.page(contact_key(1), 3, "nonsense")
