"""What happened with profiles, written with them: one suite against the fake and the tables."""

from copy import replace

import pytest

from rebound.access.domain import acting
from rebound.customers.domain import FormUse, ProfileEvent, ProfileEventKind, place_of_event
from rebound.kernel.errors import ConcurrentChangeError
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, customer, id_of

EVENT = ProfileEvent(
    kind=ProfileEventKind.EDITED_BY_CUSTOMER,
    at=at(0.123456),
    event_id="01M7W6ARGFEXM6PVNM0V1C8F99",
    fields=("email", "last_name"),
    via="form",
)
OF_A_RELATION = ProfileEvent(
    kind=ProfileEventKind.RELATION_ADDED,
    at=at(5),
    event_id="01M7W6ARGFEXM6PVNM0V1C8F98",
    relation_id="r",
    relationship="child",
    other_id=id_of(2),
    name="Rex",
    who="ana@salon.example.com",
)
FORM = "01M7W6ARGFEXM6PVNM0V1C8F97"


def save(ports: EveryPorts, *events: ProfileEvent, form: FormUse | None = None) -> None:
    before = ports.customers.get_many(BUSINESS_ID, [id_of(1)], as_of_now=True).get(id_of(1), customer(1))
    ports.profile_history.save([before], [], {id_of(1): events}, form=form)


def test_events_are_kept_whole_and_come_newest_first(ports: EveryPorts) -> None:
    save(ports, EVENT)
    save(ports, OF_A_RELATION)
    history = ports.profile_history

    assert history.before(BUSINESS_ID, id_of(1), None, 10) == [OF_A_RELATION, EVENT]
    assert history.before(BUSINESS_ID, id_of(1), None, 1) == [OF_A_RELATION]
    assert history.before(BUSINESS_ID, id_of(1), place_of_event(OF_A_RELATION), 10) == [EVENT]
    assert history.before(BUSINESS_ID, id_of(1), place_of_event(EVENT), 10) == []
    assert history.before(BUSINESS_ID, id_of(2), None, 10) == []
    assert history.before("other", id_of(1), None, 10) == []


def test_what_needs_no_change_is_noted_and_whoever_reads_it_has_not_done_it(ports: EveryPorts) -> None:
    save(ports)
    with acting("bo@salon.example.com"):
        ports.profile_history.note(BUSINESS_ID, {id_of(1): [EVENT, OF_A_RELATION]})
        assert ports.profile_history.before(BUSINESS_ID, id_of(1), None, 10) == [OF_A_RELATION, EVENT]
    assert EVENT.who is None


def test_nothing_is_written_where_the_customer_has_changed_meanwhile(ports: EveryPorts) -> None:
    save(ports)
    with pytest.raises(ConcurrentChangeError):
        ports.profile_history.save([customer(1)], [], {id_of(1): [EVENT]})

    assert ports.profile_history.before(BUSINESS_ID, id_of(1), None, 10) == []


def test_a_form_is_filled_in_once_and_may_be_filled_in_bit_by_bit(ports: EveryPorts) -> None:
    begun, done = FormUse(FORM, at(1), done=False), FormUse(FORM, at(2), done=True)
    assert ports.profile_history.form(BUSINESS_ID, id_of(1), FORM) is None
    save(ports, EVENT, form=begun)
    assert ports.profile_history.form(BUSINESS_ID, id_of(1), FORM) == begun
    save(ports, form=done)
    with pytest.raises(ConcurrentChangeError):
        save(ports, OF_A_RELATION, form=replace(done, at=at(3)))

    assert ports.profile_history.form(BUSINESS_ID, id_of(1), FORM) == done
    assert ports.profile_history.before(BUSINESS_ID, id_of(1), None, 10) == [EVENT]


def test_who_came_back_keeps_what_happened_since(ports: EveryPorts) -> None:
    save(ports, EVENT, OF_A_RELATION, form=FormUse(FORM, at(1), done=True))
    ports.profile_history.forget(BUSINESS_ID, id_of(1), before=at(5))

    assert ports.profile_history.before(BUSINESS_ID, id_of(1), None, 10) == [OF_A_RELATION]
    assert ports.profile_history.form(BUSINESS_ID, id_of(1), FORM) is None


def test_what_is_forgotten_is_gone_and_others_stay(ports: EveryPorts) -> None:
    save(ports, EVENT, form=FormUse(FORM, at(1), done=True))
    ports.profile_history.save([customer(2)], [], {id_of(2): [EVENT]})
    for _ in range(2):
        ports.profile_history.forget(BUSINESS_ID, id_of(1))

    assert ports.profile_history.before(BUSINESS_ID, id_of(1), None, 10) == []
    assert ports.profile_history.form(BUSINESS_ID, id_of(1), FORM) is None
    assert ports.profile_history.before(BUSINESS_ID, id_of(2), None, 10) == [EVENT]
