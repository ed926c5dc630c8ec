"""Whatever is written, by how many at once, and whoever dies: the index finds whom a plain scan finds."""

import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import replace
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynamodb.connection.base import Connection

from rebound.customers.adapters.customer_index import DynamoCustomerIndex
from rebound.customers.application.finding import is_found, read_typed
from rebound.customers.domain import Customer, Question, has_failed
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.kernel.written_text import folded
from tests.fakes.house import EveryPorts
from tests.fakes.making import BUSINESS_ID, contact_key, customer, id_of

pytestmark = pytest.mark.parametrize("tables", ["benchmarks"], indirect=True)

WORDS: Final = (
    *("Ana", "Anabel", "María", "Maria", "Mara", "García", "Garcia", "López", "Løvås", "Strauß", "STRAUSS", "Ñandú"),
    *("İpek", "Işık", "Çelik", "Ærø", "O\u2019Brien", "D'Angelo", "van", "der", "Berg", "Li", "Xu", "Bo", "Ng", "X"),
    *(
        "Łukasz",
        "Đorđe",
        "Zoë",
        "Ångström",
        "ΣΙΣΥΦΟΣ",
        "Σίσυφος",
        "Нина",
        "Ёлка",
        "מיכל",
        "מִיכָל",
        "محمد",
        "مُحَمَّد",
        "علي",
    ),
    *(
        "हिन्दी",
        "शर्मा",
        "김",
        "민수",
        "王",
        "伟",
        "王伟",
        "山田",
        "太郎",
        "タロウ",
        "ｆｕｌｌ",
        "ﬁona",
        "Nguyễn",
        "Thị",
        "𠮷野",
    ),
)
words = st.sampled_from(WORDS)
names = st.lists(words, min_size=1, max_size=3).flatmap(
    lambda some: st.sampled_from(["{}".join(some).format(*[mark] * (len(some) - 1)) for mark in (" ", "-", "  ")])
)
people = st.tuples(names, names)
flags = st.tuples(st.booleans(), st.booleans())


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@st.composite
def typed_words(draw: st.DrawFn) -> str:
    """Beginnings of words, as people type them: in any order, in other letters, without accents, whole or not."""
    some = draw(st.lists(words, min_size=1, max_size=3))
    cut = [word[: draw(st.integers(1, len(word)))] for word in some]
    changes: list[Callable[[str], str]] = [str, str.upper, str.lower, str.title, decomposed]
    return draw(st.sampled_from(changes))(draw(st.sampled_from([" ", "-", ", "])).join(cut))


def found(ports: EveryPorts, question: Question, limit: int) -> list[str]:
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = ports.customers.find(BUSINESS_ID, question, limit=limit, cursor=cursor)
        ids += [each.customer_id for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            assert len(ids) == len(set(ids))
            return ids
        assert len(page.items) == limit


def everybody(ports: EveryPorts) -> Sequence[Customer]:
    return ports.customers.page(BUSINESS_ID, limit=200).items


def check(ports: EveryPorts, q: str, limit: int = 100) -> None:
    """Each list has whom a scan finds, and no other."""
    known = everybody(ports)
    if folded(q):
        typed = read_typed(q)
        expected = {each.customer_id for each in known if is_found(each, typed)}
        assert set(found(ports, Question(typed=typed), limit)) == expected, q
    for which in ("email", "phone", "any", "both"):
        failed = {each.customer_id for each in known if has_failed(each, which)}
        assert set(found(ports, Question(failed=which), limit)) == failed, which
    by_name = found(ports, Question(sort="name"), limit)
    assert sorted(by_name) == sorted(each.customer_id for each in known)
    of = {each.customer_id: folded(each.full_name) for each in known}
    assert [of[each] for each in by_name] == sorted(of.values())
    assert (
        found(ports, Question(sort="created", descending=True), limit)
        == found(ports, Question(sort="created"), limit)[::-1]
    )


@given(st.lists(people, min_size=1, max_size=12), st.lists(typed_words(), min_size=1, max_size=5), st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_names_in_many_scripts_are_found_by_the_beginnings_of_their_words(
    tables: Callable[[], EveryPorts], everyone: list[tuple[str, str]], asked: list[str], limit: int
) -> None:
    ports = tables()
    own = [customer(n, first_name=first, last_name=last) for n, (first, last) in enumerate(everyone)]
    ports.customers.save(own, [])
    for q in asked:
        check(ports, q, limit)
    for each in own:
        for q in (each.full_name, f"{each.last_name}, {each.first_name}", each.first_name.upper()):
            assert each.customer_id in found(ports, Question(typed=read_typed(q)), limit), (q, each.full_name)


class DiedError(BaseException):
    """Ends a writer where it stands."""


class Turns:
    """Lets writers go on one at a time, each from one request to the next, as a story tells."""

    def __init__(self) -> None:
        self._runs: threading.Thread | None = None
        self._changed = threading.Condition()
        self._dying: set[threading.Thread] = set()
        self._waiting: set[threading.Thread] = set()

    def pause(self) -> None:
        """Wait for one's turn; the thread of the test never waits."""
        me = threading.current_thread()
        if me is threading.main_thread():
            return
        with self._changed:
            self._waiting.add(me)
            if self._runs is me:
                self._runs = None
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._runs is me)
        if me in self._dying:
            raise DiedError

    def go_on(self, writer: threading.Thread, *, dies: bool = False) -> None:
        """Let one writer make its next request, or end before it."""
        self._settle(writer)
        with self._changed:
            if not writer.is_alive():
                return
            if dies:
                self._dying.add(writer)
            self._runs = writer
            self._waiting.discard(writer)
            self._changed.notify_all()
        self._settle(writer)

    def _settle(self, writer: threading.Thread) -> None:
        """Wait until a writer waits, or has ended."""
        with self._changed:
            while writer.is_alive() and writer not in self._waiting:
                self._changed.wait(0.002)


@contextmanager
def in_turns() -> Iterator[Turns]:
    """Each request that writes waits for its turn."""
    turns = Turns()

    def before(call: Callable[..., Any]) -> Callable[..., Any]:
        def paused(*given: Any, **named: Any) -> Any:
            turns.pause()
            return call(*given, **named)

        return paused

    with (
        patch.object(DynamoCustomerIndex, "put", before(DynamoCustomerIndex.put)),
        patch.object(DynamoCustomerIndex, "remove", before(DynamoCustomerIndex.remove)),
        patch.object(Connection, "transact_write_items", before(Connection.transact_write_items)),
        patch.object(Connection, "update_item", before(Connection.update_item)),
    ):
        yield turns


def edited(ports: EveryPorts, to: tuple[str, str], email: str | None) -> None:
    known = ports.customers.get_many(BUSINESS_ID, [id_of(1)], as_of_now=True).get(id_of(1))
    first, last = to
    if known is None:
        ports.customers.save([customer(1, first_name=first, last_name=last, email=email)], [])
    else:
        ports.customers.save([replace(known, first_name=first, last_name=last, email=email)], [])


def deleted(ports: EveryPorts) -> None:
    ports.customers.delete([ports.customers.get(BUSINESS_ID, id_of(1))], [])


deeds = st.one_of(
    st.tuples(st.just("edit"), st.sampled_from([("Ana", "Li"), ("Bo", "Xu"), ("Ana", "Xu")]), st.booleans()),
    st.tuples(st.just("flag"), st.sampled_from(list(Channel)), st.booleans()),
    st.tuples(st.just("delete"), st.none(), st.none()),
    st.tuples(st.just("fill"), st.none(), st.none()),
)


def done(ports: EveryPorts, deed: tuple[str, Any, Any]) -> None:
    what, how, whether = deed
    try:
        if what == "edit":
            edited(ports, how, "ana@example.com" if whether else "bo@example.com")
        elif what == "flag":
            key = contact_key(1, how)
            known = ports.customers.get(BUSINESS_ID, id_of(1)).contact_key(how)
            ports.customers.copy_flag(known or key, id_of(1), invalid=whether)
        elif what == "delete":
            deleted(ports)
        else:
            ports.customers.fill_index(everybody(ports))
    except (ConcurrentChangeError, NotFoundError, DiedError):
        return


@given(
    st.lists(deeds, min_size=2, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9).map(lambda n: n == 0)), max_size=12),
)
@settings(max_examples=50, deadline=None)
def test_no_entry_is_lost_whoever_writes_beside_whom_and_dies(
    tables: Callable[[], EveryPorts], all_deeds: list[tuple[str, Any, Any]], story: list[tuple[int, bool]]
) -> None:
    ports = tables()
    edited(ports, ("Ana", "Li"), "ana@example.com")
    with in_turns() as turns:
        writers = [threading.Thread(target=done, args=(ports, deed), daemon=True) for deed in all_deeds]
        for writer in writers:
            writer.start()
        for who, dies in story:
            turns.go_on(writers[who % len(writers)], dies=dies)
            known = everybody(ports)
            for q in ("ana xu", "bo", "ana@example.com"):
                typed = read_typed(q)
                assert found(ports, Question(typed=typed), 5) == [c.customer_id for c in known if is_found(c, typed)], q
            assert found(ports, Question(failed="any"), 5) == [c.customer_id for c in known if has_failed(c, "any")]
        for writer in writers:
            while writer.is_alive():
                turns.go_on(writer)
    for q in ("ana", "li", "xu ana", "bo xu", "ana@example.com"):
        check(ports, q)
