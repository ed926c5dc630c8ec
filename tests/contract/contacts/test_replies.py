"""The replies: one suite against the fake and DynamoDB. The table has an index, which the benchmarks do not count."""

from collections.abc import Iterator
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pytest

from rebound.contacts.adapters import dynamo_replies
from rebound.contacts.adapters.dynamo_history import DynamoContactHistory
from rebound.contacts.adapters.dynamo_replies import DynamoReplyBook
from rebound.contacts.domain.replies import Decision, FirstReceipt, Keyword, Meaning, Reply
from rebound.contacts.ports import ContactHistory, ReplyBook
from rebound.kernel.channels import Channel
from rebound.kernel.errors import ConcurrentChangeError, InvalidInputError, NotFoundError
from tests.contract.contacts.fakes import MemoryContactsPorts
from tests.contract.contacts.test_history import HISTORY
from tests.fakes.aws import empty_tables, fake_aws_with_tables, rows
from tests.fakes.making import BUSINESS_ID, at, contact_key, customer, id_of


@dataclass(frozen=True)
class Books:
    """Both views of the table."""

    history: ContactHistory
    replies: ReplyBook


@pytest.fixture(scope="module")
def in_dynamodb() -> Iterator[Books]:
    with fake_aws_with_tables() as tables:
        name = tables["CONTACT_HISTORY_TABLE"]
        yield Books(DynamoContactHistory(name), DynamoReplyBook(name))


@pytest.fixture
def books_in_dynamodb(in_dynamodb: Books) -> Books:
    empty_tables()
    return in_dynamodb


@pytest.fixture(params=["memory", "dynamodb"])
def books(request: pytest.FixtureRequest) -> Books:
    if request.param == "memory":
        made = MemoryContactsPorts()
        return Books(made.contact_history, made.replies)
    found: Books = request.getfixturevalue("books_in_dynamodb")
    return found


def reply(of: int = 1, seconds: float = 0, **given: Any) -> Reply:
    defaults: dict[str, Any] = {
        "key": contact_key(of, Channel.SMS).hashed,
        "reply_id": f"SM{of}x{seconds:g}".replace(".", "y"),
        "at": at(seconds),
        "to": "+14155550100",
        "meaning": Meaning.OTHER,
        "number": customer(of).mobile_phone,
        "body": "Thank you \U0001f44b #1",
    }
    return Reply(**{**defaults, **given})


RESOLVED: Final = reply(
    1,
    5,
    meaning=Meaning.KEYWORD,
    keyword=Keyword.STOP,
    message_id="m",
    customer_id=id_of(1),
    appointment_id="a",
    needs_staff=True,
    resolved_at=at(9.5),
    resolved_by="Kim",
    decision=Decision.KEEP,
)


def test_the_first_receipt_of_a_text_is_the_one_that_counts(books: Books) -> None:
    first = FirstReceipt(at(0.000001), (contact_key(1).hashed, contact_key(2).hashed))

    assert books.replies.receive("SM1", first) == first
    assert books.replies.receive("SM1", FirstReceipt(at(9), ())) == first
    assert books.replies.receive("SM2", FirstReceipt(at(9), ())) == FirstReceipt(at(9), ())


def test_a_reply_is_kept_whole_and_once_in_the_history_of_its_contact(books: Books) -> None:
    books.history.record(contact_key(1, Channel.SMS), HISTORY)
    assert books.replies.add(RESOLVED) == RESOLVED
    assert books.replies.add(replace(RESOLVED, body="Another")) == RESOLVED
    bare = books.replies.add(reply(1, 6, body=None, number=None))
    receipt = FirstReceipt(RESOLVED.at, (RESOLVED.key,))

    assert books.replies.get(contact_key(1, Channel.SMS), receipt, RESOLVED.reply_id) == RESOLVED
    assert books.replies.get(RESOLVED.key, receipt, RESOLVED.reply_id) == RESOLVED
    assert books.replies.get(RESOLVED.key, FirstReceipt(at(6), ()), RESOLVED.reply_id) is None
    assert books.replies.get(contact_key(2, Channel.SMS), receipt, RESOLVED.reply_id) is None
    assert list(books.history.page(RESOLVED.key, 10, None).items) == [bare, RESOLVED, *HISTORY[::-1]]


def test_the_replies_to_a_business_come_in_pages_the_latest_first(books: Books) -> None:
    kept = [books.replies.add(reply(number, seconds)) for seconds in (1, 2, 3) for number in (1, 2)]
    books.replies.add(reply(3, 2, key=replace(contact_key(3, Channel.SMS), business_id="other").hashed))
    books.history.record(contact_key(1, Channel.SMS), HISTORY)
    found: list[Reply] = []
    cursor = None
    while True:
        page = books.replies.page(BUSINESS_ID, 4, cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break

    assert [one.at for one in found] == sorted((one.at for one in kept), reverse=True)
    assert sorted(found, key=lambda one: one.reply_id) == sorted(kept, key=lambda one: one.reply_id)
    with pytest.raises(InvalidInputError):
        books.replies.page(BUSINESS_ID, 4, "nonsense")


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [(None, 2, [1]), (2, None, [3, 2]), (2, 3, [2]), (2, 2, []), (4, None, []), (None, None, [3, 2, 1])],
)
def test_the_replies_of_a_time_are_those_from_its_beginning_until_before_its_end(
    books: Books, since: int | None, until: int | None, expected: list[int]
) -> None:
    for seconds in (1, 2, 3):
        books.replies.add(reply(1, seconds))
    first, last = (None if value is None else at(value) for value in (since, until))

    assert [one.at for one in books.replies.page(BUSINESS_ID, 9, None, since=first, until=last).items] == [
        *map(at, expected)
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 9])
def test_pages_of_matching_replies_show_each_once_and_no_others(books: Books, limit: int) -> None:
    kept = [books.replies.add(reply(1 + seconds % 2, seconds, reply_id=f"SM{seconds}")) for seconds in range(8)]
    found: list[Reply] = []
    cursor: str | None = None
    while True:
        page = books.replies.page(BUSINESS_ID, limit, cursor, matching=lambda one: one.at != at(3) and one.at < at(6))
        assert len(page.items) <= limit
        found, cursor = [*found, *page.items], page.next_cursor
        if cursor is None:
            break

    assert found == [kept[seconds] for seconds in (5, 4, 2, 1, 0)]


def test_a_page_of_replies_looks_at_no_more_than_it_should(books_in_dynamodb: Books) -> None:
    kept = [books_in_dynamodb.replies.add(reply(1, seconds, reply_id=f"SM{seconds}")) for seconds in range(7)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dynamo_replies, "_LOOKED_AT", 3)
        pages = [books_in_dynamodb.replies.page(BUSINESS_ID, 5, None, matching=lambda one: one == kept[0])]
        while pages[-1].next_cursor is not None:
            cursor = pages[-1].next_cursor
            pages.append(books_in_dynamodb.replies.page(BUSINESS_ID, 5, cursor, matching=lambda one: one == kept[0]))

    assert [list(page.items) for page in pages] == [[], [], [kept[0]]]


def test_a_forgotten_address_takes_number_and_words_with_it_and_nothing_else(books: Books) -> None:
    others = books.replies.add(reply(2, 1))
    books.history.record(contact_key(1, Channel.SMS), HISTORY)
    for seconds in (1, 2):
        books.replies.add(reply(1, seconds))
    books.replies.add(RESOLVED)
    for _ in range(2):
        books.replies.forget(contact_key(1, Channel.SMS))

    assert books.replies.get(RESOLVED.key, FirstReceipt(RESOLVED.at, ()), RESOLVED.reply_id) == RESOLVED.forgotten()
    assert (RESOLVED.forgotten().number, RESOLVED.forgotten().body) == (None, None)
    assert list(books.history.page(others.key, 9, None).items) == [others]
    entries = books.history.page(RESOLVED.key, 9, None).items
    assert [entry for entry in entries if not isinstance(entry, Reply)] == HISTORY[::-1]
    assert {entry.body for entry in entries if isinstance(entry, Reply)} == {None}


def test_a_cursor_of_another_time_is_refused(books_in_dynamodb: Books) -> None:
    for seconds in (1, 2):
        books_in_dynamodb.replies.add(reply(1, seconds))
    cursor = books_in_dynamodb.replies.page(BUSINESS_ID, 1, None).next_cursor
    with pytest.raises(InvalidInputError):
        books_in_dynamodb.replies.page(BUSINESS_ID, 1, cursor, until=at(1))


def test_a_reply_is_forgotten_by_itself_after_some_time_and_what_was_said_about_consent_never(
    books_in_dynamodb: Books,
) -> None:
    books_in_dynamodb.replies.receive("SM1", FirstReceipt(at(5), ()))
    books_in_dynamodb.replies.add(RESOLVED)
    books_in_dynamodb.history.record(contact_key(1, Channel.SMS), HISTORY)
    expiring = [row for row in rows()["ContactHistoryTable"] if "expires_at" in row]

    assert [row["entry_id"]["S"].split("#")[1] for row in expiring] == ["reply"]
    assert int(expiring[0]["expires_at"]["N"]) == int((RESOLVED.at + timedelta(days=400)).timestamp())


def test_a_reply_is_found_by_the_providers_id_in_its_own_business_only(books: Books) -> None:
    kept = books.replies.add(reply(1, 1))
    books.replies.receive(kept.reply_id, FirstReceipt(kept.at, (kept.key,)))
    books.replies.receive("SMhalf", FirstReceipt(at(0), (kept.key,)))

    assert books.replies.find(BUSINESS_ID, kept.reply_id) == kept
    for business_id, reply_id in (("other", kept.reply_id), (BUSINESS_ID, "SMnone"), (BUSINESS_ID, "SMhalf")):
        with pytest.raises(NotFoundError):
            books.replies.find(business_id, reply_id)


def test_what_somebody_must_read_is_listed_the_oldest_first_until_it_is_resolved_or_forgotten(books: Books) -> None:
    waiting = [books.replies.add(reply(number, 4 - number, needs_staff=True)) for number in (1, 2, 3)]
    books.replies.add(reply(1, 9))
    books.replies.add(RESOLVED)
    first = books.replies.waiting(BUSINESS_ID, 2, None)
    rest = books.replies.waiting(BUSINESS_ID, 2, first.next_cursor)

    assert [*first.items, *rest.items] == waiting[::-1]
    assert rest.next_cursor is None
    assert list(books.replies.waiting("other", 9, None).items) == []
    done = replace(waiting[0], resolved_at=at(60), resolved_by="Kim", decision=Decision.OPT_OUT)
    books.replies.replace(waiting[0], done)
    books.replies.forget(waiting[1].key)
    assert list(books.replies.waiting(BUSINESS_ID, 9, None).items) == [waiting[2]]
    assert done in books.replies.of_contact(done.key)
    with pytest.raises(ConcurrentChangeError):
        books.replies.replace(waiting[0], replace(done, resolved_by="Lee"))
    with pytest.raises(InvalidInputError):
        books.replies.waiting(BUSINESS_ID, 4, "nonsense")


def test_all_replies_of_a_contact_are_its_own(books: Books) -> None:
    own = [books.replies.add(reply(1, seconds)) for seconds in (1, 2)]
    books.replies.add(reply(2, 1))
    books.history.record(contact_key(1, Channel.SMS), HISTORY)

    assert list(books.replies.of_contact(contact_key(1, Channel.SMS))) == own
