"""Sequences, and who stands where in them: one suite against the fake and the tables."""

from copy import replace
from datetime import datetime, time, timedelta
from typing import Any, Final

import pytest

from rebound.campaigns.domain.gates import Gate
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.segments.domain.segments import Segment
from rebound.sequences.domain.enrolments import Enrolment, EnrolmentKey, LeftBecause, Stage, Stood
from rebound.sequences.domain.heard import Heard
from rebound.sequences.domain.ready_made import ready_made
from rebound.sequences.domain.sequences import Late, Owes, SavedSequence, SequenceStatus
from rebound.sequences.domain.steps import Exit, Wait
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, id_of
from tests.unit.sequences.worlds import BY_HAND, DAY, definition_of, send, steps, tag, tagged, wait

SEQUENCE: Final = "welcome"
UID: Final = "01M7W6ARGFEXM6PVNM0V1C8F0N"


def sequence(**given: Any) -> SavedSequence:
    defaults: dict[str, Any] = {
        "business_id": BUSINESS_ID,
        "sequence_id": SEQUENCE,
        "uid": UID,
        "name": "Welcome",
        "status": SequenceStatus.ON,
        "version": 1,
        "definition": definition_of(send("hello")),
        "late": Late.LAPSE,
        "created_at": at(),
        "updated_at": at(1),
        "switched_at": at(2),
    }
    return SavedSequence(**{**defaults, **given})


def enrolment(number: int = 1, **given: Any) -> Enrolment:
    defaults: dict[str, Any] = {
        "key": EnrolmentKey(BUSINESS_ID, id_of(number), SEQUENCE),
        "version": 1,
        "entry_key": "v1",
        "entered_at": at(),
        "standing": Stage.WAITING,
        "step_id": None,
        "since": at(),
        "wake_at": at(60),
    }
    return Enrolment(**{**defaults, **given})


def test_a_sequence_is_read_as_it_was_written_whatever_its_steps(ports: EveryPorts) -> None:
    program = (
        send("hello"),
        wait(DAY, for_event=BY_HAND),
        Wait(until_local=time(9, 30)),
        tagged("vip", steps(tag("seen"), Exit()), steps(send("others"))),
    )
    written = sequence(definition=definition_of(*program, filter={"tag": "new"}))
    ports.sequences.save(written)
    read = ports.sequences.get(BUSINESS_ID, SEQUENCE)

    assert read.definition == written.definition
    assert (read.name, read.status, read.late, read.uid) == ("Welcome", SequenceStatus.ON, Late.LAPSE, written.uid)
    assert (read.created_at, read.updated_at, read.switched_at) == (at(), at(1), at(2))
    assert ports.sequences.version(BUSINESS_ID, UID, 1) == written.definition
    assert list(ports.sequences.all(BUSINESS_ID)) == [read.known] == [ports.sequences.known(BUSINESS_ID, SEQUENCE)]
    assert list(ports.sequences.all("another")) == []


@pytest.mark.parametrize("lapsed_until", [None, at(3)])
def test_its_gate_is_written_with_it_and_is_gone_with_it(ports: EveryPorts, lapsed_until: datetime | None) -> None:
    gates = ports.sequence_gates
    assert gates.get(BUSINESS_ID, SEQUENCE) is None
    ports.sequences.save(sequence())
    first = ports.sequences.get(BUSINESS_ID, SEQUENCE)
    assert gates.get(BUSINESS_ID, SEQUENCE) == Gate(first.uid, True, None, first.row_version)
    off = {"status": SequenceStatus.OFF, "lapsed_until": lapsed_until, "row_version": first.row_version}
    ports.sequences.save(sequence(**off))
    read = ports.sequences.get(BUSINESS_ID, SEQUENCE)
    assert read.lapsed_until == lapsed_until
    gate = gates.get(BUSINESS_ID, SEQUENCE)
    assert gate == Gate(first.uid, False, lapsed_until, read.row_version)
    assert read.row_version > first.row_version
    # Who has read it before writes neither.
    with pytest.raises(ConcurrentChangeError):
        ports.sequences.save(first)
    assert gates.get(BUSINESS_ID, SEQUENCE) == gate
    ports.sequences.delete(read)
    assert gates.get(BUSINESS_ID, SEQUENCE) is None


@pytest.mark.parametrize("owes", [None, *Owes])
def test_what_is_being_deleted_has_no_gate_any_more(ports: EveryPorts, owes: Owes | None) -> None:
    ports.sequences.save(sequence(owes=owes))

    assert ports.sequences.get(BUSINESS_ID, SEQUENCE).owes is owes
    assert (ports.sequence_gates.get(BUSINESS_ID, SEQUENCE) is None) == (owes is Owes.DELETION)


def test_a_version_stays_as_it_was_when_the_next_is_written(ports: EveryPorts) -> None:
    ports.sequences.save(sequence())
    read = ports.sequences.get(BUSINESS_ID, SEQUENCE)
    ports.sequences.save(sequence(version=2, definition=definition_of(send("two")), row_version=read.row_version))

    assert ports.sequences.version(BUSINESS_ID, UID, 1) == definition_of(send("hello"))
    assert ports.sequences.get(BUSINESS_ID, SEQUENCE).definition == definition_of(send("two"))
    with pytest.raises(ConcurrentChangeError):
        ports.sequences.save(sequence(row_version=read.row_version))
    with pytest.raises(ConcurrentChangeError):
        ports.sequences.delete(read)


def test_what_is_deleted_is_gone_with_its_versions(ports: EveryPorts) -> None:
    ports.sequences.save(sequence())
    ports.sequences.delete(ports.sequences.get(BUSINESS_ID, SEQUENCE))

    for missing in (
        lambda: ports.sequences.get(BUSINESS_ID, SEQUENCE),
        lambda: ports.sequences.version(BUSINESS_ID, UID, 1),
    ):
        with pytest.raises(NotFoundError):
            missing()


def test_a_segment_that_was_written_meanwhile_makes_the_write_fail(ports: EveryPorts) -> None:
    ports.segments.put(Segment(BUSINESS_ID, "vips", "VIPs", {"tag": "vip"}, at()))
    read = ports.segments.all(BUSINESS_ID)
    asks = sequence(definition=definition_of(send("hello"), filter={"segment": "vips"}))
    ports.segments.put(Segment(BUSINESS_ID, "vips", "VIPs", {"tag": "v"}, at()), ports.segments.all(BUSINESS_ID))
    with pytest.raises(ConcurrentChangeError):
        ports.sequences.save(asks, read)
    ports.sequences.save(asks, ports.segments.all(BUSINESS_ID))

    assert list(ports.sequences.using(BUSINESS_ID, "vips")) == [SEQUENCE]
    assert list(ports.sequences.using(BUSINESS_ID, "others")) == []


def test_what_somebody_waits_for_and_waited_for_before_is_read_as_it_was_written(ports: EveryPorts) -> None:
    stood = (Stood(1, at(5), {"1": "2"}), Stood(2, at(6), {}))
    first = replace(enrolment(), about="gold", due_at=at(7), former=("a", "b"), stood=stood)
    assert ports.enrolments.enter(first, None, once=True)
    read = ports.enrolments.get_many([first.key])[first.key]
    withdrawn = replace(read.left(LeftBecause.EXIT, at(9)), entry_key="")
    ports.enrolments.replace(read, withdrawn)

    assert (read.about, read.due_at, read.former, read.stood) == ("gold", at(7), ("a", "b"), stood)
    assert ports.enrolments.get_many([first.key])[first.key].entry_key == ""


def test_where_somebody_stands_is_read_as_it_was_written(ports: EveryPorts) -> None:
    first = enrolment()
    assert ports.enrolments.enter(first, None, once=True)
    read = ports.enrolments.get_many([first.key, enrolment(2).key])
    doing = ports.enrolments.replace(read[first.key], read[first.key].does("1", at(61), "batch", (), 3))
    read_doing = ports.enrolments.get_many([first.key])[first.key]
    left = ports.enrolments.replace(doing, doing.left(LeftBecause.GOAL, at(62)))

    assert read.keys() == {first.key}
    assert read[first.key].wake_at == at(60)
    assert (doing, doing.template_version, left.template_version) == (read_doing, 3, None)
    assert ports.enrolments.get_many([first.key])[first.key] == left
    assert (left.standing, left.left_because, left.step_id, left.batch) == (Stage.LEFT, LeftBecause.GOAL, "1", None)
    with pytest.raises(ConcurrentChangeError):
        ports.enrolments.replace(doing, doing.waits("2", at(), at(5)))


def test_nobody_enters_twice_at_a_time(ports: EveryPorts) -> None:
    ports.enrolments.enter(enrolment(), None, once=True)

    with pytest.raises(ConcurrentChangeError):
        ports.enrolments.enter(enrolment(entry_key="v2"), None, once=True)


def test_what_began_one_begins_none_again_also_after_others(ports: EveryPorts) -> None:
    assert ports.enrolments.enter(enrolment(), None, once=False)
    for key in ("v2", "v3"):
        [before] = ports.enrolments.get_many([enrolment().key]).values()
        gone = ports.enrolments.replace(before, before.left(LeftBecause.ENDED, at(9)), once=False)
        assert not ports.enrolments.enter(enrolment(entry_key="v1"), gone, once=False)
        assert ports.enrolments.enter(enrolment(entry_key=key), gone, once=False)
    [last] = ports.enrolments.get_many([enrolment().key]).values()

    assert last.entry_key == "v3"
    with pytest.raises(ConcurrentChangeError):
        ports.enrolments.enter(enrolment(entry_key="v4"), None, once=False)


def test_all_of_a_sequence_are_listed_once_page_by_page(ports: EveryPorts) -> None:
    for number in range(23):
        ports.enrolments.enter(enrolment(number), None, once=bool(number % 2))
    ports.enrolments.enter(enrolment(key=EnrolmentKey(BUSINESS_ID, id_of(1), "another")), None, once=True)
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = ports.enrolments.page(BUSINESS_ID, SEQUENCE, 5, cursor)
        found += [each.key.customer_id for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert found == sorted(map(id_of, range(23)))


def test_who_is_forgotten_may_enter_as_if_they_had_never_been(ports: EveryPorts) -> None:
    ports.enrolments.enter(enrolment(), None, once=False)
    ports.enrolments.enter(enrolment(2), None, once=False)
    [found] = ports.enrolments.get_many([enrolment().key]).values()
    ports.enrolments.forget(found)

    assert ports.enrolments.get_many([enrolment().key]) == {}
    assert ports.enrolments.enter(enrolment(), None, once=False)
    assert not ports.enrolments.enter(
        enrolment(2), ports.enrolments.get_many([enrolment(2).key])[enrolment(2).key], once=False
    )


def test_what_was_heard_is_kept_with_an_enrolment(ports: EveryPorts) -> None:
    heard = (Heard("n1", at(1), at(2), ("2", "3.then.1")), Heard("n2", at(3), at(3)))
    ports.enrolments.enter(enrolment(began_at=at(-1), heard=heard), None, once=True)
    read = ports.enrolments.get_many([enrolment().key])[enrolment().key]

    assert (read.began_at, read.heard) == (at(-1), heard)


@pytest.mark.parametrize("number", range(7))
def test_what_is_ready_made_is_read_as_it_was_written(ports: EveryPorts, number: int) -> None:
    definition = ready_made("en")[number].definition
    ports.sequences.save(sequence(definition=definition))

    assert ports.sequences.get(BUSINESS_ID, SEQUENCE).definition == definition


def test_carriers_are_those_of_their_sequence(ports: EveryPorts) -> None:
    for carrier in ("step:a", "step:b", "step:a"):
        ports.step_carriers.note(BUSINESS_ID, "uid", carrier)
    ports.step_carriers.note(BUSINESS_ID, "other", "step:c")

    assert list(ports.step_carriers.of(BUSINESS_ID, "uid")) == ["step:a", "step:b"]


def test_a_moment_is_a_moment() -> None:
    assert enrolment().is_due(at(60))
    assert not enrolment().is_due(at(60) - timedelta(microseconds=1))
