"""Who was left out of a campaign, by name and reason, and its messages as a file."""

import csv
import io
from collections import Counter
from copy import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.campaigns.application import read_recipients
from rebound.campaigns.application.read_recipients import ExcludedCustomer, ExcludedCustomers
from rebound.campaigns.application.recipients_file import COLUMNS, write_header, write_rows
from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.csv_cells import restored
from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.kernel.provider_codes import Provider
from rebound.messages.domain.messages import MessageStatus
from rebound.segments.domain.selections import Selection
from rebound.templates.domain.content import TextContent
from tests.contract.campaigns.fakes import adds_up
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, contact_key, customer, id_of
from tests.fakes.world import Chaos, World


def excluded(world: World, campaign_id: str, *, limit: int = 100, reason: str | None = None) -> list[ExcludedCustomer]:
    """All pages together, of which none is longer than it may be."""
    found: list[ExcludedCustomer] = []
    cursor: str | None = None
    while True:
        page = page_of(world, campaign_id, reason, limit, cursor).page
        assert len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def page_of(world: World, campaign_id: str, reason: str | None, limit: int, cursor: str | None) -> ExcludedCustomers:
    return world.read_recipients.excluded(BUSINESS_ID, campaign_id, reason=reason, limit=limit, cursor=cursor)


def opt_out(world: World, number: int, seconds: float = 0) -> None:
    statement = ConsentEvidence(at(seconds), Scope.ALL, opted_out=True, source=ConsentSource.PROVIDER)
    world.know(contact_key(number), statement)


KINDS = ("fine", "no address", "opted out", "flagged", "shared", "opts out later")


def salon(kinds: list[str], seed: int = 0) -> World:
    world = World(seed=seed, ranges=3)
    shared = "family@example.com"
    for number, kind in enumerate(kinds):
        email = {"no address": None, "shared": shared}.get(kind, f"ana{number}@example.com")
        world.add(customer(number, email=email))
    for number, kind in enumerate(kinds):
        if kind == "opted out":
            opt_out(world, number)
        if kind == "flagged":
            world.know(contact_key(number), Failure(at(0), "m", Provider.SES, NO_SUCH_MAILBOX))
    return world


def contact_keys_of(kinds: list[str], kind: str) -> list[int]:
    return [number for number, each in enumerate(kinds) if each == kind]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(KINDS), max_size=140),
    st.integers(1, 60),
    st.integers(0, 2**16),
    st.booleans(),
)
def test_the_list_is_who_the_counts_count(kinds: list[str], limit: int, seed: int, is_chaotic: bool) -> None:
    world = salon(kinds, seed)
    if is_chaotic:
        world.chaos = Chaos(death=0.02, duplicate=0.2)
    campaign_id = world.post().campaign.campaign_id
    world.begin(campaign_id)
    for number in contact_keys_of(kinds, "opts out later"):
        opt_out(world, number, 1)
    world.end(campaign_id)
    world.rest()
    view = world.campaign_service.get(BUSINESS_ID, campaign_id)
    found = excluded(world, campaign_id, limit=limit)

    assert adds_up(view)
    assert Counter(each.reason for each in found) == {why: n for why, n in view.audience.excluded.items() if n}
    assert len({each.customer_id for each in found}) == len(found)
    assert all(each.customer is not None and each.customer.customer_id == each.customer_id for each in found)
    for reason in {*view.audience.excluded, "not_found"}:
        some = excluded(world, campaign_id, limit=limit, reason=reason)
        assert some == [each for each in found if each.reason == reason]
    for each in found:
        kind = kinds[next(n for n in range(len(kinds)) if id_of(n) == each.customer_id)]
        assert (kind, each.reason) in {
            ("no address", "no_address"), ("opted out", "opted_out"), ("flagged", "invalid_contact"),
            ("shared", "same_address"), ("opts out later", "opted_out"),
        }  # fmt: skip


def test_who_was_never_there_or_is_deleted_since_has_an_id_and_no_name() -> None:
    world = World()
    world.add(customer(1, email=None), customer(2))
    campaign_id = world.post(selection=Selection(customer_ids=(id_of(1), id_of(2), id_of(3)))).campaign.campaign_id
    world.run(campaign_id)
    world.customer_service.delete(BUSINESS_ID, id_of(1))

    assert excluded(world, campaign_id) == [
        ExcludedCustomer(id_of(1), "no_address", None), ExcludedCustomer(id_of(3), "not_found", None),
    ]  # fmt: skip


def test_nobody_is_left_out_of_what_has_not_begun() -> None:
    world = salon(["no address", "fine"])
    campaign_id = world.post(is_draft=True).campaign.campaign_id
    found = page_of(world, campaign_id, None, 5, None)

    assert (found.page.items, found.page.next_cursor, found.complete) == ([], None, True)


def test_a_campaign_that_began_before_lists_were_kept_says_that_its_list_is_not_complete() -> None:
    world = salon(["no address", "fine"])
    campaign_id = world.post().campaign.campaign_id
    world.run(campaign_id)
    assert page_of(world, campaign_id, None, 5, None).complete
    ran = world.campaigns.get(BUSINESS_ID, campaign_id)
    world.campaigns.replace(ran, replace(ran, names_left_out=False))

    assert not page_of(world, campaign_id, None, 5, None).complete


@pytest.mark.parametrize("cursor", ["x", "bGVmdC1vdXQ", "1x.", "9999999.", ".", "left-out#000#0000001.3", ""])
def test_a_cursor_that_nobody_gave_is_refused(cursor: str) -> None:
    world = salon(["no address", "opts out later"])
    campaign_id = world.post().campaign.campaign_id
    with pytest.raises(InvalidInputError, match="cursor"):
        page_of(world, campaign_id, None, 5, cursor)
    with pytest.raises(NotFoundError):
        page_of(world, "another", None, 5, None)


def test_an_expansion_that_leaves_nobody_out_writes_nothing_for_it() -> None:
    world = salon(["fine"] * 130)
    campaign_id = world.post().campaign.campaign_id
    world.run(campaign_id)

    assert world.expansion.left_out_rows == {}
    assert excluded(world, campaign_id) == []


def test_a_page_of_a_large_campaign_gives_up_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_recipients, "MOST_LOOKED_AT", 100)
    world = salon(["fine"] * 400 + ["opts out later"])
    campaign_id = world.post().campaign.campaign_id
    world.begin(campaign_id)
    opt_out(world, 400, 1)
    world.end(campaign_id)
    world.rest()

    assert page_of(world, campaign_id, None, 5, None).page.next_cursor is not None
    assert [each.customer_id for each in excluded(world, campaign_id)] == [id_of(400)]


# --- as a file --------------------------------------------------------------------------------------------------------

NAMES = st.one_of(st.sampled_from(["=1+1", "+1", "-x", "@a", "\t=1", 'a"b', "a,b", "a\nb", "Ä"]), st.text(min_size=1))


@settings(max_examples=40, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=8), st.integers(1, 5), st.booleans())
def test_a_file_has_a_row_for_each_message_in_which_no_cell_is_a_formula(
    names: list[str], limit: int, by_text: bool
) -> None:
    world = World()
    for number, name in enumerate(names):
        mobile = f"+1415555{number:04d}"
        world.add(customer(number, first_name=name, external_id=name, mobile_phone=mobile))
    channel = Channel.SMS if by_text else Channel.EMAIL
    content = {"content": TextContent("Hi")} if by_text else {}
    campaign_id = world.post(channel, **content).campaign.campaign_id
    world.run(campaign_id)
    lines, cursor = write_header(), None
    while True:
        page = world.read_recipients.rows(BUSINESS_ID, campaign_id, status=None, limit=limit, cursor=cursor)
        lines += write_rows(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    rows = list(csv.DictReader(io.StringIO(lines, newline="")))

    assert list(rows[0]) == list(COLUMNS)
    by_id = {row["customer_id"]: row for row in rows}
    assert len(rows) == len(by_id) == len(names)
    for number, name in enumerate(names):
        row = by_id[id_of(number)]
        assert restored(row["first_name"]) == restored(row["external_id"]) == name
        assert not row["first_name"].startswith(("=", "+", "-", "@", "\t="))
        assert row["status"] == "delivered"
        assert row["address"] == (f"+1415555{number:04d}" if by_text else f"ana{number}@example.com")
        assert row["final_at"].endswith("Z")


def test_a_file_has_who_is_deleted_by_id_and_may_be_of_one_status() -> None:
    world = World()
    world.add(customer(1), customer(2))
    campaign_id = world.post().campaign.campaign_id
    world.run(campaign_id)
    world.customer_service.delete(BUSINESS_ID, id_of(1))
    everybody = world.read_recipients.rows(BUSINESS_ID, campaign_id, status=None, limit=9, cursor=None).items
    bounced = world.read_recipients.rows(
        BUSINESS_ID, campaign_id, status=MessageStatus.BOUNCED, limit=9, cursor=None
    ).items

    assert {each.message.key.customer_id: each.customer is None for each in everybody} == {
        id_of(1): True,
        id_of(2): False,
    }
    assert bounced == []
    rows = list(csv.DictReader(io.StringIO(write_header() + write_rows(everybody))))
    gone = next(row for row in rows if row["customer_id"] == id_of(1))
    assert (gone["first_name"], gone["external_id"], gone["status"]) == ("", "", "delivered")
