"""A file that says again what it said before undoes no edit, and clears no flag."""

from copy import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.contacts.domain.reachability import Failure
from rebound.customers.domain import LOCKABLE, UNSET, Customer, digest_of
from rebound.imports_exports.application.import_changes import EDITED, NOT_KNOWN, PROTECTED
from rebound.imports_exports.application.start_import import ImportView
from rebound.imports_exports.domain import LOCKED, ImportOptions, RowCounts, code_of_problem
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.provider_codes import Provider
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at
from tests.fakes.world import World
from tests.unit.imports_exports.test_same_people import imported, people

ANA: Final[dict[str, Any]] = {
    "external_id": "A",
    "first_name": "Ana",
    "last_name": "Silva",
    "email": "old@example.com",
    "general_tags": ["vip"],
    "gender": "f",
}
FIELDS: Final = ("email", "gender", "general_tags", "last_name")
VALUES: Final[dict[str, list[Any]]] = {
    "email": ["old@example.com", "new@example.com", "third@example.com", None],
    "gender": ["f", "m", None],
    "general_tags": [["vip"], ["new"], []],
    "last_name": ["Silva", "Souza"],
}


def ana(world: World) -> Customer:
    [customer] = people(world)
    return customer


def edit(world: World, **fields: Any) -> None:
    world.customer_service.change(BUSINESS_ID, ana(world).customer_id, fields)


def told(view: ImportView) -> dict[str, str]:
    return {each.field: each.message for bad in view.incomplete_rows for each in bad.warnings}


def bounced(world: World, address: str) -> ContactKey:
    key = ContactKey(BUSINESS_ID, Channel.EMAIL, address)
    world.know(key, Failure(at(60), "m", Provider.SES, NO_SUCH_MAILBOX))
    world.pump_streams()
    return key


def kept(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def test_an_address_that_the_desk_has_corrected_stays_corrected_and_that_is_told() -> None:
    world = World()
    imported(world, ANA)
    bounced(world, "old@example.com")
    edit(world, email="new@example.com")
    before = ana(world)
    views = [imported(world, ANA) for _ in range(3)]

    assert ana(world) == before
    assert [view.counts for view in views] == [RowCounts(1, unchanged=1, incomplete=1)] * 3
    assert told(views[0]) == {"email": EDITED}
    assert not ana(world).failed_email


def test_another_value_of_the_file_wins_over_an_edit_and_what_it_said_once_does_then() -> None:
    world = World()
    imported(world, ANA)
    edit(world, email="new@example.com")
    views = [imported(world, {**ANA, "email": each}) for each in ("third@example.com", "old@example.com")]

    assert ana(world).email == "old@example.com"
    assert [view.counts for view in views] == [RowCounts(1, updated=1)] * 2


@given(st.lists(st.tuples(st.sampled_from(["edit", "import"]), st.sampled_from(FIELDS), st.integers(0, 3)), max_size=8))
def test_a_field_is_what_was_said_last_but_a_file_that_repeats_itself_says_nothing(
    story: list[tuple[str, str, int]],
) -> None:
    world = World()
    imported(world, ANA)
    file: dict[str, Any] = dict(ANA)
    expected = {name: kept(ANA[name]) for name in FIELDS}
    for who, name, number in story:
        value = VALUES[name][number % len(VALUES[name])]
        if who == "edit":
            edit(world, **{name: value})
            expected[name] = kept(value)
            continue
        changed = kept(file[name]) != kept(value)
        file[name] = value
        imported(world, file)
        if changed:
            expected[name] = kept(value)

    assert {name: getattr(ana(world), name) for name in FIELDS} == expected


@pytest.mark.parametrize("name", ["email", "gender", "general_tags"])
def test_a_field_that_the_desk_has_emptied_stays_empty(name: str) -> None:
    world = World()
    imported(world, ANA)
    edit(world, **{name: None})
    view = imported(world, ANA)

    assert told(view) == {name: EDITED}
    assert not getattr(ana(world), name)


def test_an_edit_back_to_what_the_file_has_changes_nothing_for_the_next_file() -> None:
    world = World()
    imported(world, ANA)
    edit(world, gender="m")
    edit(world, gender="f")
    same = imported(world, ANA)

    assert (told(same), ana(world).gender, ana(world).file_values) == ({}, "f", {})
    assert told(imported(world, {**ANA, "gender": "x"})) == {}
    assert ana(world).gender == "x"


@pytest.mark.parametrize(
    ("name", "spelled", "edited"),
    [
        ("email", "Old@Example.com", "new@example.com"),
        ("email", "OLD@example.com", None),
        ("first_name", "ANA", "Anna"),
        ("first_name", "A\u0301na", "Anna"),
        ("general_tags", ["NEW", "vip"], ["vip"]),
    ],
)
def test_a_file_that_spells_the_same_otherwise_undoes_no_edit(name: str, spelled: Any, edited: Any) -> None:
    world = World()
    given = {**ANA, "first_name": "Ana", "email": "old@example.com", "general_tags": ["vip", "new"]}
    imported(world, given)
    edit(world, **{name: edited})
    before = getattr(ana(world), name)
    view = imported(world, {**given, name: spelled})

    assert told(view) == {name: EDITED}
    assert getattr(ana(world), name) == before


def test_a_capital_letter_that_the_desk_has_put_stays() -> None:
    world = World()
    imported(world, {**ANA, "first_name": "ana"})
    edit(world, first_name="Ana")
    imported(world, {**ANA, "first_name": "ana"})

    assert ana(world).first_name == "Ana"


@pytest.mark.parametrize("protect", [(), ("email",), ("email", "gender"), ("gender",)])
def test_an_import_may_say_which_fields_of_known_customers_it_leaves(protect: tuple[str, ...]) -> None:
    world = World()
    imported(world, ANA)
    edit(world, email="new@example.com", gender="m")
    options = ImportOptions(protect=protect)
    view = imported(world, {**ANA, "last_name": "Souza"}, options=options)
    after = ana(world)

    assert told(view) == dict.fromkeys(protect, PROTECTED)
    assert after.last_name == "Souza"
    assert after.email == ("new@example.com" if "email" in protect else "old@example.com")
    assert after.gender == ("m" if "gender" in protect else "f")


def test_a_protected_field_that_was_never_filled_is_filled_and_one_that_was_emptied_is_not() -> None:
    for emptied in (False, True):
        world = World()
        imported(world, ANA if emptied else {**ANA, "email": None})
        if emptied:
            edit(world, email=None)
        imported(world, ANA, options=ImportOptions(protect=("email",)))

        assert ana(world).email == (None if emptied else "old@example.com")


@pytest.mark.parametrize("protect", [None, (), ("email",)])
@pytest.mark.parametrize("again", ["old@example.com", "OLD@example.com", "third@example.com"])
def test_no_import_clears_a_flag_whatever_address_it_brings(protect: tuple[str, ...] | None, again: str) -> None:
    world = World()
    imported(world, ANA)
    keys = [bounced(world, "old@example.com")]
    edit(world, email="new@example.com")
    keys.append(bounced(world, "new@example.com"))
    evidence = {key: world.contacts.rows[key].reachability for key in keys}
    imported(world, {**ANA, "email": again}, options=ImportOptions(protect=protect))
    world.pump_streams()
    after = ana(world)

    assert {key: world.contacts.rows[key].reachability for key in keys} == evidence
    assert after.failed_email is (after.contact_key(Channel.EMAIL) in keys)


# --- what is known of nothing -----------------------------------------------------------------------------------------


def forget_file(world: World) -> None:
    """As a version before this one has left the customer."""
    key, customer = next(iter(world.customers.rows.items()))
    world.customers.rows[key] = replace(customer, file_values=None)


def test_where_nobody_knows_what_the_file_had_it_wins_over_a_profile_as_it_was_created() -> None:
    world = World()
    imported(world, ANA)
    forget_file(world)
    view = imported(world, {**ANA, "email": "third@example.com"})

    assert (ana(world).email, view.counts) == ("third@example.com", RowCounts(1, updated=1))


def test_where_nobody_knows_what_the_file_had_it_does_not_win_over_one_that_was_edited() -> None:
    world = World()
    imported(world, ANA)
    forget_file(world)
    edit(world, email="new@example.com")
    view = imported(world, ANA)

    assert (ana(world).email, told(view)) == ("new@example.com", {"email": NOT_KNOWN})
    # From now on it is known.
    assert told(imported(world, ANA)) == {"email": EDITED}
    imported(world, {**ANA, "email": "third@example.com"})
    assert ana(world).email == "third@example.com"


def test_a_column_that_comes_later_finds_nothing_known_either() -> None:
    world = World()
    imported(world, ANA)
    forget_file(world)
    edit(world, gender="m")
    imported(world, {name: ANA[name] for name in ("external_id", "first_name", "last_name")})
    view = imported(world, ANA)

    assert told(view) == {"gender": NOT_KNOWN}
    assert ana(world).gender == "m"


@given(
    st.fixed_dictionaries({}, optional={name: st.sampled_from(VALUES[name]) for name in FIELDS}),
    st.fixed_dictionaries({}, optional={name: st.sampled_from(VALUES[name]) for name in FIELDS}),
    st.fixed_dictionaries({}, optional={name: st.sampled_from(VALUES[name]) for name in FIELDS}),
    st.booleans(),
)
def test_of_a_customer_of_the_api_a_first_file_writes_whatever_nobody_has_edited(
    made: dict[str, Any], edited: dict[str, Any], filed: dict[str, Any], claims: bool
) -> None:
    world = World()
    names = {name: ANA[name] for name in ("external_id", "first_name", "last_name")}
    world.customer_service.create(BUSINESS_ID, {**names, **made})
    first = ana(world)
    world.customer_service.change(BUSINESS_ID, first.customer_id, edited, by_customer=claims)
    before = ana(world)
    view = imported(world, {**names, **filed})
    after = ana(world)

    stays: dict[str, str] = {}
    for name, value in filed.items():
        if kept(value or None) == (getattr(before, name) or None):
            continue
        if claims and name in LOCKABLE:
            stays[name] = LOCKED
        elif getattr(first, name) != getattr(before, name):
            stays[name] = NOT_KNOWN
        else:
            assert getattr(after, name) == (kept(value) or UNSET[name])
    assert {name: reason for name, reason in told(view).items() if name in filed} == stays
    assert all(getattr(after, name) == getattr(before, name) for name in stays)


def test_of_a_profile_that_a_former_version_edited_a_file_fills_what_is_empty_and_keeps_the_rest() -> None:
    world = World()
    imported(world, {**ANA, "gender": None})
    edit(world, last_name="Souza")
    forget_file(world)
    view = imported(world, {**ANA, "email": "third@example.com"})
    after = ana(world)

    assert told(view) == {"email": NOT_KNOWN, "last_name": NOT_KNOWN}
    assert (after.gender, after.email, after.last_name) == ("f", "old@example.com", "Souza")


def test_what_is_remembered_of_a_file_is_no_personal_data_in_clear() -> None:
    world = World()
    imported(world, ANA)
    edit(world, email="new@example.com")

    assert ana(world).file_values == {"email": digest_of("old@example.com")}
    assert "example.com" not in str(ana(world).file_values)


def test_a_deleted_customer_comes_back_as_the_file_has_it_and_a_stop_holds() -> None:
    world = World()
    imported(world, {**ANA, "email_opted_out": ["all"]})
    edit(world, gender="m")
    world.customer_service.delete(BUSINESS_ID, ana(world).customer_id)
    view = imported(world, ANA)
    [contact] = world.contacts.rows.values()

    assert (view.counts, ana(world).gender) == (RowCounts(1, created=1), "f")
    assert contact.consent.opted_out


def test_of_a_profile_that_is_the_customers_own_a_file_keeps_the_locked_fields_and_writes_the_others() -> None:
    world = World()
    imported(world, ANA)
    world.customer_service.change(BUSINESS_ID, ana(world).customer_id, {"email": "own@example.com"}, by_customer=True)
    before = ana(world)
    view = imported(
        world,
        {**ANA, "first_name": "ANA", "email": "other@example.com", "last_name": "Souza", "gender": "m"},
        options=ImportOptions(protect=()),
    )
    after = ana(world)

    assert told(view) == {"email": LOCKED, "last_name": LOCKED}
    assert [bad.line for bad in view.incomplete_rows] == [1]
    assert (after.first_name, after.last_name, after.email, after.gender) == ("Ana", "Silva", "own@example.com", "m")
    assert after.claimed_at == before.claimed_at
    assert code_of_problem(LOCKED) == "locked"
