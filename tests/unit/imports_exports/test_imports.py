"""Importing goes on where it stopped, makes no customer twice, and its counts add up."""

import json
from collections.abc import Mapping
from copy import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.contacts.domain.reachability import Failure
from rebound.customers.domain import Customer
from rebound.imports_exports.application.close_import import STOPPED
from rebound.imports_exports.application.import_customers import ATTEMPTS, BATCH
from rebound.imports_exports.application.start_import import MAX_ERRORS, ImportView
from rebound.imports_exports.domain import ImportJob, ImportOptions, PartProgress, RowCounts
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.errors import ComeAgainError, ConcurrentChangeError
from rebound.kernel.provider_codes import Provider
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at
from tests.fakes.world import Chaos, World, always

type Fields = Mapping[str, Any]

ANA: Final = {"external_id": "A", "first_name": "Ana", "last_name": "Silva", "email": "ana@example.com"}


def start(world: World, rows: list[Any], format_: str = "jsonl") -> str:
    content = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    return world.start_import(BUSINESS_ID, format_, content)[0].job.import_id


def put(world: World, content: bytes, options: ImportOptions | None = None) -> str:
    """An import whose file was uploaded."""
    view, _ = world.start_import(BUSINESS_ID, "csv", None, options or ImportOptions())
    world.import_store.put_bytes(BUSINESS_ID, view.job.import_id, content)
    return view.job.import_id


def imported(world: World, *rows: Any) -> ImportView:
    view = world.run_import(start(world, list(rows)))
    assert view.job.status == "completed"
    return view


def by_name(world: World) -> dict[str | None, Customer]:
    return {customer.external_id: customer for customer in world.customers.rows.values()}


def bounced(world: World, address: str, channel: Channel = Channel.EMAIL) -> None:
    world.know(ContactKey(BUSINESS_ID, channel, address), Failure(at(-1), "m", Provider.SES, NO_SUCH_MAILBOX))
    world.pump_streams()


rows = st.lists(
    st.fixed_dictionaries(
        {"first_name": st.sampled_from(["Ana", "Bea", ""]), "last_name": st.just("Silva")},
        optional={
            "external_id": st.sampled_from(["A", "B", "C", "D"]),
            "email": st.sampled_from(["ana1@example.com", "family@example.com", "nonsense", None]),
            "mobile_phone": st.sampled_from(["+14155550123", "415 555 0123", None]),
            "shoe_size": st.just("38"),
        },
    ),
    max_size=120,
)


@given(rows, st.integers(0, 10_000), st.sampled_from([0.02, 0.1, 0.3]))
def test_an_import_whose_workers_die_anywhere_ends_as_one_whose_did_not(
    given_rows: list[dict[str, Any]], seed: int, death: float
) -> None:
    calm, stormy = World(), World(seed=seed)
    stormy.chaos = Chaos(death=death)
    known: list[Fields] = [ANA, {**ANA, "external_id": "B", "email": "ana1@example.com"}]
    for world in (calm, stormy):
        imported(world, *known)
    ends = [world.run_import(start(world, list(given_rows))) for world in (calm, stormy)]

    assert ends[0] == ends[1]
    assert calm.customers.rows == stormy.customers.rows
    assert calm.contacts.rows == stormy.contacts.rows
    counts = ends[1].counts
    assert counts.rows == len(given_rows)
    assert counts.rows == counts.created + counts.updated + counts.unchanged + counts.failed
    assert stormy.import_store.pieces == {}


@given(rows)
def test_importing_the_same_list_again_changes_nothing_whoever_stands_in_it_twice(
    given_rows: list[dict[str, Any]],
) -> None:
    world = World()
    named = [{"external_id": "E", **row} for row in given_rows]
    imported(world, *named)
    customers, contacts = dict(world.customers.rows), dict(world.contacts.rows)
    again = imported(world, *named)

    assert (again.counts.created, again.counts.updated) == (0, 0)
    assert (world.customers.rows, world.contacts.rows) == (customers, contacts)


def test_the_last_good_row_of_a_customer_holds_wherever_the_rows_stand() -> None:
    world = World()
    others = [{"first_name": f"N{n}", "last_name": "Silva"} for n in range(100)]
    first, bad = {**ANA, "first_name": "First"}, {**ANA, "first_name": ""}
    view = imported(world, first, *others, {**ANA, "first_name": "Last"}, *others, bad)

    assert by_name(world)["A"].first_name == "Last"
    assert view.counts == RowCounts(203, created=201, unchanged=1, failed=1)


def test_a_list_with_two_addresses_for_one_customer_clears_no_flag_however_often_it_is_imported() -> None:
    world = World()
    old, new = {**ANA, "email": "old@example.com"}, {**ANA, "email": "new@example.com"}
    between = [{"external_id": f"X{n}", "first_name": "Bo", "last_name": "Silva"} for n in range(90)]
    imported(world, old, *between, new)
    bounced(world, "new@example.com")
    imported(world, old, *between, new)

    assert by_name(world)["A"].email == "new@example.com"
    assert by_name(world)["A"].failed_email


@pytest.mark.parametrize(
    ("before", "again"),
    [
        ({"email": "ana@example.com"}, {"email": "ana@example.com"}),
        ({"email": "ana@example.com"}, {"email": "ANA@Example.COM"}),
        ({"email": "Ana@example.com"}, {"email": " ana@EXAMPLE.com "}),
        ({"mobile_phone": "+14155550123"}, {"mobile_phone": "(415) 555-0123"}),
        ({"mobile_phone": "415.555.0123"}, {"mobile_phone": "+1 415-555-0123"}),
    ],
)
def test_an_address_in_another_notation_is_no_other_address_and_keeps_its_flag(before: Fields, again: Fields) -> None:
    world = World()
    base = {"external_id": "A", "first_name": "Ana", "last_name": "Silva"}
    imported(world, {**base, **before})
    [key] = by_name(world)["A"].contact_keys
    bounced(world, key.address, key.channel)
    evidence = world.contacts.rows[key].reachability
    imported(world, {**base, **again, "first_name": "Bea"})

    assert by_name(world)["A"].first_name == "Bea"
    assert by_name(world)["A"].failed_email or by_name(world)["A"].failed_phone
    assert world.contacts.rows[key].reachability == evidence


def test_another_address_starts_clean_and_coming_back_to_one_that_bounced_clears_nothing() -> None:
    world = World()
    imported(world, ANA)
    bounced(world, "ana@example.com")
    imported(world, {**ANA, "email": "new@example.com"})
    moved = by_name(world)["A"]
    imported(world, ANA)

    assert (moved.email, moved.failed_email) == ("new@example.com", False)
    assert (by_name(world)["A"].email, by_name(world)["A"].failed_email) == ("ana@example.com", True)


def test_a_new_customer_with_an_address_that_bounced_is_flagged_at_once() -> None:
    world = World()
    imported(world, ANA)
    bounced(world, "ana@example.com")
    imported(world, {**ANA, "external_id": "B"})

    assert by_name(world)["B"].failed_email


def test_a_row_with_a_customer_id_is_about_that_customer() -> None:
    world = World()
    imported(world, {"first_name": "Ana", "last_name": "Silva"})
    [customer_id] = [customer.customer_id for customer in world.customers.rows.values()]
    view = imported(
        world,
        {"customer_id": customer_id, "first_name": "Bea", "last_name": "Silva", "failed_email": True},
        {"customer_id": "f" * 32, "first_name": "Cy", "last_name": "Silva"},
        {"customer_id": "nonsense", "first_name": "Di", "last_name": "Silva"},
    )

    assert {c.customer_id: c.first_name for c in world.customers.rows.values()} == {customer_id: "Bea", "f" * 32: "Cy"}
    assert view.counts == RowCounts(3, created=1, updated=1, failed=1)
    assert not any(customer.failed_email for customer in world.customers.rows.values())


def test_a_row_may_say_in_which_language_a_customer_reads() -> None:
    world = World()
    rows = [
        {"first_name": f"In {each}", "last_name": "Silva", "language": each}
        for each in ("DE", "nl", "", "pt-BR", "es_419", "it-CH", "zh-Hans-CN")
    ]
    view = imported(world, *rows)

    assert {c.first_name: c.language for c in world.customers.rows.values()} == {
        "In DE": "de",
        "In nl": None,
        "In": None,
        "In pt-BR": "pt",
        "In es_419": "es",
        "In it-CH": "it",
        "In zh-Hans-CN": None,
    }
    assert [(bad.line, bad.warnings[0].field) for bad in view.incomplete_rows] == [(2, "language"), (7, "language")]


def test_an_external_id_cannot_be_taken_off_a_customer() -> None:
    world = World()
    imported(world, ANA)
    customer_id = by_name(world)["A"].customer_id
    view = imported(world, {**ANA, "external_id": None, "customer_id": customer_id})

    assert [(bad.line, bad.errors[0].field) for bad in view.bad_rows] == [(1, "external_id")]
    assert by_name(world)["A"].email == ANA["email"]


def test_bad_rows_are_told_by_line_the_first_of_them_and_all_are_counted() -> None:
    world = World()
    bad = [{"first_name": "", "last_name": "Silva"}] * (MAX_ERRORS + 100)
    view = imported(world, *bad)

    assert [row.line for row in view.bad_rows] == list(range(1, MAX_ERRORS + 1))
    assert view.counts == RowCounts(len(bad), failed=len(bad))


@pytest.mark.parametrize("part_bytes", [800, 1_000_000])
@pytest.mark.parametrize("odd", [{"first_name": ""}, {"email": "nonsense"}])
def test_the_first_of_them_are_told_whether_or_not_they_have_an_id(odd: Fields, part_bytes: int) -> None:
    world = World()
    world.import_part_bytes = part_bytes
    rows = [
        {"first_name": f"N{n}", "last_name": "Silva", **odd, **({"external_id": str(n)} if n % 3 else {})}
        for n in range(2 * MAX_ERRORS + 300)
    ]
    view = imported(world, *rows)
    told = view.bad_rows or view.incomplete_rows

    assert [row.line for row in told] == list(range(1, MAX_ERRORS + 1))
    assert sum(view.problems.values()) == len(rows)


@pytest.mark.parametrize("rows", [10, 400])
def test_a_file_that_turns_out_unreadable_at_its_end_has_changed_nothing(rows: int) -> None:
    world = World()
    lines = ["first_name,last_name", *(f"N{n},Silva" for n in range(rows)), "Ana,Silva"]
    half_a_character = "\n".join(lines).encode("utf-16")[:-1]
    view = world.run_import(put(world, half_a_character))

    assert view.job.status == "failed"
    assert "line" in (view.job.failure or "")
    assert world.customers.rows == {}
    assert world.import_store.pieces == {}


def test_a_splitting_that_runs_out_of_time_goes_on_in_the_middle_of_the_file() -> None:
    world = World()
    lines = ["\ufefffirst_name,last_name"]
    lines += [f'"N{n}\r\né",Silva' if n % 7 == 0 else f"N{n}é,Silva" for n in range(300)]
    import_id = start(world, lines, "csv")
    calls = 1
    while world.split_import(BUSINESS_ID, import_id, lambda: False) is None:
        calls += 1
    view = world.run_import(import_id)

    assert calls > 3
    assert view.counts == RowCounts(300, created=257, failed=43)
    assert [bad.line for bad in view.bad_rows][:3] == [2, 10, 18]
    assert {c.first_name for c in world.customers.rows.values()} == {f"N{n}é" for n in range(300) if n % 7}


def test_a_file_that_is_replaced_while_it_is_split_is_read_from_its_beginning() -> None:
    world = World()
    people = [{"first_name": f"N{n}", "last_name": "Silva"} for n in range(200)]
    import_id = start(world, people)
    assert world.split_import(BUSINESS_ID, import_id, lambda: False) is None
    world.import_store.put(BUSINESS_ID, import_id, json.dumps(ANA))
    view = world.run_import(import_id)

    assert view.counts == RowCounts(1, created=1)
    assert list(by_name(world)) == ["A"]
    assert world.import_store.pieces == {}


def test_an_import_that_has_been_completed_is_not_run_again() -> None:
    world = World()
    view = imported(world, ANA)
    world.customers.rows.clear()

    assert world.run_import(view.job.import_id) == view
    assert world.customers.rows == {}


def test_what_fails_for_a_technical_reason_says_so_and_goes_on_where_it_stopped() -> None:
    world = World()
    import_id = start(world, [{"first_name": f"N{n}", "last_name": "Silva"} for n in range(60)])
    parts = world.split_import(BUSINESS_ID, import_id, always)
    assert parts
    world.import_customers(BUSINESS_ID, import_id, parts[0], always)
    world.close_import.fail(BUSINESS_ID, import_id)
    failed = world.start_import.get(BUSINESS_ID, import_id)
    done = world.run_import(import_id)

    assert (failed.job.status, failed.job.failure) == ("failed", STOPPED)
    assert 0 < failed.counts.rows < 60
    assert done.counts == RowCounts(60, created=60)
    assert len(world.customers.rows) == 60


def test_parts_that_meet_at_one_contact_wait_for_each_other() -> None:
    world = World()
    import_id = start(world, [ANA])
    [part] = world.split_import(BUSINESS_ID, import_id, always) or ()
    clashes = 3

    def clash(where: str) -> None:
        nonlocal clashes
        if where == "import_ledger.commit" and clashes:
            clashes -= 1
            raise ConcurrentChangeError

    world.checkpoint = clash
    assert world.import_customers(BUSINESS_ID, import_id, part, always)

    assert world.patience.attempts == [1, 2, 3]
    assert world.start_import.get(BUSINESS_ID, import_id).counts == RowCounts(1, created=1)


def test_a_part_paces_itself_while_the_tables_take_no_more() -> None:
    world = World()
    import_id = start(world, [{"first_name": f"N{n}", "last_name": "Silva"} for n in range(BATCH * 3)])
    parts = world.split_import(BUSINESS_ID, import_id, always) or ()
    refusals = 3

    def refuse(where: str) -> None:
        nonlocal refusals
        if where == "import_ledger.commit" and refusals:
            refusals -= 1
            raise ComeAgainError

    world.checkpoint = refuse
    for part in parts:
        assert world.import_customers(BUSINESS_ID, import_id, part, always)

    assert world.patience.attempts[:3] == [2, 4, 6]
    assert world.patience.attempts[3:] == sorted(world.patience.attempts[3:], reverse=True)
    assert world.start_import.get(BUSINESS_ID, import_id).counts == RowCounts(BATCH * 3, created=BATCH * 3)


def test_a_part_that_waits_gives_up_its_turn_in_time_and_goes_on_later() -> None:
    world = World()
    import_id = start(world, [ANA])
    [part] = world.split_import(BUSINESS_ID, import_id, always) or ()

    def refuse(where: str) -> None:
        if where == "import_ledger.commit":
            raise ComeAgainError

    world.checkpoint = refuse
    looks = iter([True] * 5)
    assert not world.import_customers(BUSINESS_ID, import_id, part, lambda: next(looks, False))
    world.checkpoint = lambda _: None
    assert world.import_customers(BUSINESS_ID, import_id, part, always)

    assert world.start_import.get(BUSINESS_ID, import_id).counts == RowCounts(1, created=1)


def test_rows_that_do_not_fit_into_one_transaction_go_in_by_halves() -> None:
    world = World()
    people = [
        {**ANA, "external_id": str(n), "email": f"n{n}@example.com", "mobile_phone": f"+1415555{n:04}"}
        for n in range(60)
    ]
    imported(world, *people)
    for customer in list(world.customers.rows.values()):
        edit = {"email": f"x{customer.external_id}@example.com", "mobile_phone": f"+1415556{customer.external_id:>04}"}
        world.customer_service.change(BUSINESS_ID, customer.customer_id, edit)
        # Nobody has the addresses of the file any more, so that their opt-outs are kept apart.
        world.customers.rows[BUSINESS_ID, customer.customer_id] = replace(
            world.customers.get(BUSINESS_ID, customer.customer_id), former_contacts=frozenset()
        )
    for key in [key for key in world.contacts.rows if not key.address.startswith(("x", "+1415556"))]:
        del world.contacts.rows[key]
    view = imported(world, *({**each, "email_opted_out": "all", "sms_opted_out": "all"} for each in people))

    assert view.counts == RowCounts(60, updated=60, incomplete=60)
    assert len(world.contacts.hashed) == 120


def test_a_worker_whose_part_goes_on_elsewhere_gives_up_and_counts_nothing_twice() -> None:
    world = World()
    import_id = start(world, [ANA])
    [part] = world.split_import(BUSINESS_ID, import_id, always) or ()
    looked = world.import_ledger.get(import_id, part)
    assert world.import_customers(BUSINESS_ID, import_id, part, always)
    world.import_ledger.get = lambda *_: looked  # type: ignore[method-assign]

    with pytest.raises(ConcurrentChangeError):
        world.import_customers(BUSINESS_ID, import_id, part, always)
    assert len(world.patience.attempts) == ATTEMPTS - 1
    assert world.start_import.get(BUSINESS_ID, import_id).counts == RowCounts(1, created=1)


def test_progress_says_how_much_is_read_and_how_much_is_done() -> None:
    world = World()
    import_id = start(world, [{"first_name": f"N{n}", "last_name": "Silva"} for n in range(200)])
    world.split_import(BUSINESS_ID, import_id, lambda: False)
    reading = world.start_import.get(BUSINESS_ID, import_id).job.splitting
    done = world.run_import(import_id)

    assert reading is not None
    assert 0 < reading.rows < 200
    assert not reading.done
    assert done.job.splitting is not None
    assert (done.job.splitting.rows, done.job.splitting.done) == (200, True)
    assert done.counts.rows == 200


def test_an_upload_starts_its_import_once() -> None:
    world = World()
    world.imports.save(ImportJob(BUSINESS_ID, "i1", "csv", "awaiting_upload", created_at=at(0)))
    for _ in range(2):
        world.begin_import(BUSINESS_ID, "i1")

    assert world.import_runner.started == [(BUSINESS_ID, "i1")]
    assert world.import_ledger.get("i1", 0) == PartProgress("i1", 0)


def test_a_batch_whose_customers_all_leave_their_contacts_is_written_in_several() -> None:
    world = World()
    rows = [{"external_id": f"c{n}", "first_name": "Ana", "last_name": "Silva"} for n in range(19)]
    first = [{**row, "email": f"a{n}@example.com", "mobile_phone": f"+1415557{n:04d}"} for n, row in enumerate(rows)]
    again = [{**row, "email": f"b{n}@example.com", "mobile_phone": f"+1415558{n:04d}"} for n, row in enumerate(rows)]
    imported(world, *first)
    view = imported(world, *again)

    assert (view.counts.updated, view.counts.rows) == (19, 19)
    left = {key: contact for key, contact in world.contacts.rows.items() if contact.left}
    assert len(left) == 38
    assert all(contact.users == frozenset() for contact in left.values())
