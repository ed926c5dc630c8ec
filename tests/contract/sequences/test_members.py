"""Who matches what sequences are entered by: one suite against the fake and the tables."""

from copy import replace
from typing import Any

import pytest

from rebound.kernel.errors import ConcurrentChangeError
from rebound.sequences.domain.members import Look, Member, MemberKey
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, id_of

UID = "01M7W6ARGFEXM6PVNM0V1C8F0N"


def member(number: int = 1, uid: str = UID, **given: Any) -> Member:
    key = MemberKey(BUSINESS_ID, uid, id_of(number))
    return Member(**{"key": key, "look": "a", "is_in": True, "entered": 1, **given})


def read(ports: EveryPorts, one: Member) -> Member:
    return ports.members_of_sequences.get_many([one.key])[one.key]


def test_one_is_read_as_they_were_written_and_written_over_by_who_has_read_them(ports: EveryPorts) -> None:
    book = ports.members_of_sequences
    book.write(member())
    first = read(ports, member())
    assert first == member(row_version=first.row_version)
    after = member(is_in=False, look="b", entered=2, row_version=first.row_version)
    book.write(after)
    second = read(ports, member())
    assert second == member(is_in=False, look="b", entered=2, row_version=second.row_version)

    for stale in (member(), after):
        with pytest.raises(ConcurrentChangeError):
            book.write(stale)
    assert read(ports, member()) == second


def test_who_is_not_remembered_is_left_out_and_who_is_forgotten_may_be_written_anew(ports: EveryPorts) -> None:
    book = ports.members_of_sequences
    assert book.get_many([]) == {}
    book.write(member(1))
    assert list(book.get_many([member(1).key, member(2).key])) == [member(1).key]
    for _ in range(2):
        book.forget(member(1).key)
    assert book.get_many([member(1).key]) == {}
    book.write(member(1))


def test_a_look_is_written_over_by_who_has_read_it(ports: EveryPorts) -> None:
    book = ports.members_of_sequences
    assert book.looked(BUSINESS_ID, UID) is None
    first = Look(name="a", began_at=at(1))
    book.save_look(BUSINESS_ID, UID, first)
    read = book.looked(BUSINESS_ID, UID)
    assert read is not None
    assert (read.name, read.began_at, read.done_at) == ("a", at(1), None)
    done = replace(read, done_at=at(2))
    book.save_look(BUSINESS_ID, UID, done)
    for stale in (first, done):
        with pytest.raises(ConcurrentChangeError):
            book.save_look(BUSINESS_ID, UID, stale)
    again = book.looked(BUSINESS_ID, UID)
    assert again is not None
    assert again.done_at == at(2)


def test_all_of_a_sequence_are_forgotten_in_parts_and_those_of_others_stay(ports: EveryPorts) -> None:
    book = ports.members_of_sequences
    for number in range(3):
        book.write(member(number))
    book.write(member(1, "other"))
    for uid in (UID, "other"):
        book.save_look(BUSINESS_ID, uid, Look(name=uid, began_at=at(1)))
    while book.forget_some(BUSINESS_ID, UID):
        pass

    assert book.get_many([member(number).key for number in range(3)]) == {}
    assert book.looked(BUSINESS_ID, UID) is None
    other = book.looked(BUSINESS_ID, "other")
    assert other is not None
    assert other.name == "other"
    assert read(ports, member(1, "other")).is_in
