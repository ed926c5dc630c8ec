"""Customers are found by what people type, by failed contacts and in order: the fake scans, the table has an index."""

from collections.abc import Sequence
from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from rebound.customers.application.finding import read_typed
from rebound.customers.domain import Customer, Question
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, InvalidInputError
from rebound.kernel.ids import id_of_external
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, at, contact_key, customer, id_of


def named(number: int, name: str, **given: Any) -> Customer:
    first, _, last = name.partition("|")
    return customer(number, first_name=first, last_name=last, **given)


def saved(ports: EveryPorts, *customers: Customer) -> None:
    ports.customers.save(customers, [])


def everything(ports: EveryPorts, question: Question, limit: int = 50) -> list[str]:
    """The ids of all that a question finds; every page but the last is full."""
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = ports.customers.find(BUSINESS_ID, question, limit=limit, cursor=cursor)
        ids += [found.customer_id for found in page.items]
        cursor = page.next_cursor
        if cursor is None:
            assert len(ids) == len(set(ids))
            return ids
        assert len(page.items) == limit


def typed(q: str) -> Question:
    return Question(typed=read_typed(q))


def numbers(ports: EveryPorts, question: Question, limit: int = 50) -> set[int]:
    known = {id_of(number): number for number in range(100)}
    return {known[customer_id] for customer_id in everything(ports, question, limit)}


NAMES = {
    1: "García|López",
    2: "José María|Garcia Lopez",
    3: "Ana|Silva",
    4: "Anabel|O\u2019Brien",
    5: "Lars|van der Berg",
    6: "Jean-Luc|Strauß",
    7: "İpek|Çelik",
    8: "伟|王",
    9: "민수|김",
    10: "محمد|علي",
    11: "हिन्दी|शर्मा",
    12: "Ana Maria|Santos",
    13: "Bo|Li",
    14: "Søren|Ærø",
}


@pytest.mark.parametrize(
    ("q", "who"),
    [
        ("garcia", {1, 2}),
        ("LÓPEZ", {1, 2}),
        ("lopez garcia", {1, 2}),
        ("jose lop", {2}),
        ("ana", {3, 4, 12}),
        ("ana s", {3, 12}),
        ("ana sil", {3}),
        ("s ana", {3, 12}),
        ("nabel", set()),
        ("o'brien", {4}),
        ("obri", {4}),
        ("brien ana", {4}),
        ("berg van", {5}),
        ("der b", {5}),
        ("luc", {6}),
        ("jean-luc stra", {6}),
        ("strauss", {6}),
        ("ipek celik", {7}),
        ("王伟", {8}),
        ("王", {8}),
        ("伟 王", {8}),
        ("김민", {9}),
        ("علي محمد", {10}),
        ("शर्मा", {11}),
        ("ana maria san", {12}),
        ("ma sa", {12}),
        ("bo li", {13}),
        ("li b", {13}),
        ("soren aero", {14}),
        ("ana ana", {3, 4, 12}),
        ("anabel an", {4}),
        ("zz", set()),
        ("ana zz", set()),
    ],
)
@pytest.mark.parametrize("limit", [1, 50])
def test_each_word_begins_a_word_of_the_name(ports: EveryPorts, q: str, who: set[int], limit: int) -> None:
    saved(ports, *(named(number, name) for number, name in NAMES.items()))

    assert numbers(ports, typed(q), limit) == who


@pytest.mark.parametrize(
    ("q", "who"),
    [
        ("(415) 555-0123", {1}),
        ("+1 415 555 0123", {1}),
        ("0014155550123", {1}),
        ("0151 12345678", {2}),
        ("+49 (0)151 12345678", {2}),
        ("7946 0958", {3}),
        ("020 7946 0958 ext. 12", {3}),
        ("011 15 5555-0123", {4}),
        ("ana 0151 12345678", {2}),
        ("bo 0151 12345678", set()),
        ("ana1@example.com", {1}),
        ("Ana1@EXAMPLE.com", {1}),
        ("ana1@", {1}),
        ("ana ana1@example", {1}),
        ("bo ana1@example", set()),
        ("info@m\u00fcller.example", {4}),
        ("312345", {5}),
    ],
)
def test_numbers_and_addresses_are_found_however_they_are_written(ports: EveryPorts, q: str, who: set[int]) -> None:
    saved(
        ports,
        customer(1, mobile_phone="+14155550123"),
        customer(2, mobile_phone=None, night_phone="+4915112345678"),
        customer(3, mobile_phone=None, day_phone="+442079460958 ext. 12"),
        customer(4, mobile_phone="+5491155550123", email="info@xn--mller-kva.example"),
        customer(5, mobile_phone="+376312345"),
    )

    assert numbers(ports, typed(q)) == who


@pytest.mark.parametrize("q", ["Crm/4711", "crm/4711", "CRM/4711 "])
def test_an_external_id_finds_its_customer_once(ports: EveryPorts, q: str) -> None:
    own = id_of_external(BUSINESS_ID, "CRM/4711")
    saved(ports, replace(named(1, "Crm|4711"), customer_id=own, external_id="CRM/4711"), named(2, "Crm|4711x"))

    for limit in (1, 2, 50):
        assert everything(ports, typed(q), limit) == [own, id_of(2)]


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_who_failed_is_listed_by_what_failed(ports: EveryPorts, limit: int) -> None:
    flags = [(False, False), (True, False), (False, True), (True, True)] * 2
    saved(ports, *(customer(n, failed_email=email, failed_phone=phone) for n, (email, phone) in enumerate(flags)))
    asked = {which: numbers(ports, Question(failed=which), limit) for which in ("email", "phone", "any", "both")}

    assert asked == {"email": {1, 3, 5, 7}, "phone": {2, 3, 6, 7}, "any": {1, 2, 3, 5, 6, 7}, "both": {3, 7}}


def test_a_copied_flag_moves_a_customer_between_the_lists(ports: EveryPorts) -> None:
    saved(ports, customer(1))
    lists = []
    for channel, invalid in ((Channel.EMAIL, True), (Channel.SMS, True), (Channel.EMAIL, False), (Channel.SMS, False)):
        ports.customers.copy_flag(contact_key(1, channel), id_of(1), invalid=invalid)
        lists.append([bool(everything(ports, Question(failed=each))) for each in ("email", "phone", "any", "both")])

    assert lists == [
        [True, False, True, False],
        [True, True, True, True],
        [False, True, True, False],
        [False, False, False, False],
    ]


@pytest.mark.parametrize("limit", [1, 3, 50])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", ["name", "created"])
def test_customers_are_listed_in_order(ports: EveryPorts, sort: str, descending: bool, limit: int) -> None:
    names = ["Émile|Zola", "ana|Silva", "Ana|Alves", "Östen|Berg", "Bo|Li", "Zoë|Æ"]
    own = [named(n, name, created_at=at() + timedelta(hours=n * 5 % 6)) for n, name in enumerate(names)]
    saved(ports, *own)
    expected = [2, 1, 4, 0, 3, 5] if sort == "name" else [0, 5, 4, 3, 2, 1]
    found = everything(ports, Question(sort=sort, descending=descending), limit)

    assert found == [id_of(n) for n in (reversed(expected) if descending else expected)]


@pytest.mark.parametrize("limit", [99, 100, 101, 240, 1000])
def test_large_pages_are_full_too(ports: EveryPorts, limit: int) -> None:
    for first in range(0, 250, 50):
        saved(ports, *(named(n, f"Ana|N{n:03}", failed_phone=True) for n in range(first, first + 50)))

    for question in (typed("ana"), typed("ana n"), Question(failed="any"), Question(sort="name", descending=True)):
        assert len(everything(ports, question, limit)) == 250


def test_a_sorted_list_takes_a_filter(ports: EveryPorts) -> None:
    own = [named(n, f"N{n:03}|X", general_tags=("vip",) if n % 3 == 0 else ()) for n in range(90)]
    saved(ports, *own)

    def vips(some: Sequence[Customer]) -> Sequence[Customer]:
        return [each for each in some if each.general_tags]

    seen: list[str] = []
    cursor: str | None = None
    for _ in range(100):
        page = ports.customers.find(BUSINESS_ID, Question(sort="name"), limit=7, cursor=cursor, matching=vips)
        assert len(page.items) <= 7
        seen += [each.customer_id for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == [id_of(n) for n in range(0, 90, 3)]


def test_an_edit_and_a_deletion_are_seen_at_once(ports: EveryPorts) -> None:
    saved(ports, named(1, "Ana|Silva", email="ana@example.com"))
    before = ports.customers.get(BUSINESS_ID, id_of(1))
    saved(ports, replace(before, last_name="Souza", email="new@example.com", general_tags=("x",)))
    found = {
        q: numbers(ports, typed(q)) for q in ("silva", "souza", "ana sou", "ana@", "new@", str(before.mobile_phone))
    }

    assert found == {
        "silva": set(),
        "souza": {1},
        "ana sou": {1},
        "ana@": set(),
        "new@": {1},
        str(before.mobile_phone): {1},
    }
    assert numbers(ports, Question(sort="name")) == {1}
    ports.customers.delete([ports.customers.get(BUSINESS_ID, id_of(1))], [])
    assert not any(numbers(ports, question) for question in (typed("ana"), typed("new@"), Question(sort="created")))


def test_whoever_loses_a_race_leaves_the_winner_to_be_found(ports: EveryPorts) -> None:
    saved(ports, named(1, "Ana|Silva"))
    before = ports.customers.get(BUSINESS_ID, id_of(1))
    saved(ports, replace(before, last_name="Souza"))
    for name in ("Lost", "Souza"):
        with pytest.raises(ConcurrentChangeError):
            saved(ports, replace(before, last_name=name))
    with pytest.raises(ConcurrentChangeError):
        saved(ports, named(1, "Ana|Silva"))

    assert numbers(ports, typed("lost")) == numbers(ports, typed("silva")) == set()
    assert numbers(ports, typed("souza")) == {1}


def test_a_cursor_belongs_to_its_question(ports: EveryPorts) -> None:
    saved(ports, *(named(n, f"Ana {n}|Silva") for n in range(5)))
    page = ports.customers.find(BUSINESS_ID, typed("ana"), limit=2)
    for business, question in (
        (BUSINESS_ID, typed("silva")),
        (BUSINESS_ID, Question(sort="name")),
        (BUSINESS_ID, Question(failed="any")),
    ):
        with pytest.raises(InvalidInputError):
            ports.customers.find(business, question, limit=2, cursor=page.next_cursor)
    for cursor in ("nonsense", "", "AAAA", id_of(1)):
        with pytest.raises(InvalidInputError):
            ports.customers.find(BUSINESS_ID, typed("ana"), limit=2, cursor=cursor)


def test_other_businesses_are_not_found(ports: EveryPorts) -> None:
    saved(ports, named(1, "Ana|Silva", business_id="other", external_id="ana"))

    assert everything(ports, typed("ana")) == everything(ports, Question(sort="name")) == []


def rows(ports: EveryPorts) -> int:
    index: Any = ports.customers
    return sum(1 for _ in index._index._row.scan())


def test_nothing_is_left_of_who_is_edited_and_deleted(over_dynamodb: EveryPorts) -> None:
    ports = over_dynamodb
    saved(ports, named(1, "Ana María|García"))
    whole = rows(ports)
    for name in ("Li", "Xu", "García"):
        before = ports.customers.get(BUSINESS_ID, id_of(1))
        saved(ports, replace(before, last_name=name, email=f"{name.lower()}@example.com"))
    saved(ports, replace(ports.customers.get(BUSINESS_ID, id_of(1)), general_tags=("x",)))
    ports.customers.copy_flag(contact_key(1, Channel.SMS), id_of(1), invalid=True)
    assert rows(ports) == whole + 1
    ports.customers.delete([ports.customers.get(BUSINESS_ID, id_of(1))], [])

    assert rows(ports) == 0


def test_what_a_death_has_left_goes_with_the_customer_or_when_it_is_met(over_dynamodb: EveryPorts) -> None:
    ports = over_dynamodb
    saved(ports, named(1, "Ana|García"), named(2, "Ana|Li", created_at=at()))
    gone, index = ports.customers.get(BUSINESS_ID, id_of(1)), getattr(ports.customers, "_index")  # noqa: B009
    index.fill([(replace(gone, customer_id=id_of(3)), None)])
    assert numbers(ports, typed("ana")) == {1, 2}
    assert numbers(ports, typed("garcia")) == {1}
    ports.customers.delete([gone], [])
    index.fill([(gone, None)])
    ports.customers.forget(gone)
    ports.customers.forget(replace(gone, customer_id=id_of(3)))

    left = {customer.customer_id for customer in ports.customers.page(BUSINESS_ID, limit=10).items}
    assert left == {id_of(2)}
    assert {row.entry.rsplit("\x1f", 2)[1] for row in index._row.scan()} == left
