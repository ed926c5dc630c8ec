"""A file without ids, mended and imported again: nobody comes twice who can be told apart by an address."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from rebound.imports_exports.application.import_changes import ANOTHER, MENDED
from rebound.imports_exports.application.mended_names import is_mended
from rebound.imports_exports.application.start_import import ImportView
from rebound.imports_exports.domain import ImportOptions
from tests.fakes.making import BUSINESS_ID
from tests.fakes.world import World
from tests.unit.imports_exports.test_same_people import ANA, Fields, imported, people, without

NAMES: Final = (("Amara", "Osei-Tutu"), ("Boris", "Lindqvist"), ("Chiara", "Benedetti"), ("Dmitri", "Volkonsky"))
FAMILY_PHONE: Final = "+14155550190"
COLUMNS: Final = ("first_name", "last_name", "email", "mobile_phone", "birthday")


class Line(Struct, frozen=True):
    """A line of a file: how it was, and how it is once somebody has mended it."""

    before: Mapping[str, str]
    after: Mapping[str, str]

    @property
    def is_known(self) -> bool:
        """Whether the guide says that the line is known again."""
        was, now = (
            {name: row[name] for name in ("email", "mobile_phone") if row[name] not in ("", "odd")}
            for row in (self.before, self.after)
        )
        kept = [name for name in was if now.get(name) == was[name]]
        same_name = all(self.before[name] == self.after[name] for name in ("first_name", "last_name"))
        if same_name:
            return bool(kept) or not was
        # Of another name, every address that both lines have is the same.
        return bool(kept) and all(now.get(name, address) == address for name, address in was.items())


@st.composite
def lines(draw: st.DrawFn, *, family: bool = True) -> list[Line]:
    found = []
    for number, (first, last) in enumerate(draw(st.permutations(NAMES))[: draw(st.integers(1, 4))]):
        emails = [f"p{number}@example.com", f"q{number}@example.com"]
        phones = [f"+1415555010{number}", f"+1415555020{number}"]
        before = {
            "first_name": first,
            "last_name": last,
            "email": draw(st.sampled_from([emails[0], "", "odd"])),
            "mobile_phone": draw(st.sampled_from([phones[0], "", *([FAMILY_PHONE] if family else [])])),
            "birthday": draw(st.sampled_from(["", "1990-04-01"])),
        }
        other_names = [(first, last), (first, last[:-1]), (last, first), (f"{first[0]}.", last), (first, f"{last}x")]
        mended = dict(zip(("first_name", "last_name"), draw(st.sampled_from(other_names)), strict=True))
        mended |= {
            "email": draw(st.sampled_from([before["email"], *emails])),
            "mobile_phone": draw(st.sampled_from([before["mobile_phone"], *phones])),
            "birthday": before["birthday"] or draw(st.sampled_from(["", "1990-04-01"])),
        }
        chosen = draw(st.sets(st.sampled_from(COLUMNS)))
        chosen |= {"last_name"} if "first_name" in chosen else set()
        chosen |= {"first_name"} if "last_name" in chosen else set()
        found.append(Line(before, {name: (mended if name in chosen else before)[name] for name in COLUMNS}))
    return found


def import_csv(world: World, rows: Sequence[Mapping[str, str]]) -> ImportView:
    content = io.StringIO()
    writer = csv.DictWriter(content, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    job = world.start_import(BUSINESS_ID, "csv", content.getvalue(), ImportOptions())[0].job
    return world.run_import(job.import_id)


@settings(max_examples=150)
@given(lines())
def test_whoever_can_be_told_apart_comes_once_whichever_cells_are_mended(file: list[Line]) -> None:
    world = World()
    import_csv(world, [line.before for line in file])
    assert len(people(world)) == len(file)
    mended = import_csv(world, [line.after for line in file])

    unknown = [line for line in file if not line.is_known]
    assert mended.counts.created == len(unknown)
    after = people(world)
    again = import_csv(world, [line.after for line in file])
    assert (again.counts.created, again.counts.updated) == (0, 0)
    assert people(world) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({**ANA, "email": "odd", "mobile_phone": "12"}, ANA),
        ({**ANA, "last_name": "Silvaa"}, ANA),
        ({**ANA, "first_name": "Silva", "last_name": "Ana"}, ANA),
        ({**ANA, "first_name": "A."}, ANA),
        ({**without(ANA, "email"), "last_name": "Sliva"}, ANA),
        (without(ANA, "email", "mobile_phone"), {**ANA, "birthday": "1990-04-01"}),
    ],
)
def test_a_line_that_is_mended_is_the_same_customer(before: Fields, after: Fields) -> None:
    world = World()
    imported(world, before)
    [known] = people(world)
    imported(world, after)
    [customer] = people(world)

    assert customer.customer_id == known.customer_id
    assert {name: getattr(customer, name) for name in ANA} == dict(ANA)


def test_it_is_told_when_another_name_was_taken_for_the_same_person_and_when_it_was_not() -> None:
    world = World()
    imported(world, ANA)
    mended = imported(world, {**ANA, "last_name": "Sylva"})
    [row] = mended.incomplete_rows
    assert [(each.field, each.message) for each in row.warnings] == [("last_name", MENDED)]
    other = imported(world, {**ANA, "first_name": "Beatriz"})
    [row] = other.incomplete_rows
    assert [(each.field, each.message) for each in row.warnings] == [("email", ANOTHER), ("mobile_phone", ANOTHER)]
    assert other.counts.created == 1
    assert not imported(world, {**ANA, "first_name": "Beatriz"}).incomplete_rows


@pytest.mark.parametrize(
    "others",
    [
        [ANA],
        [{**ANA, "email": ""}],
        [{**ANA, "email": "new@example.com"}],
    ],
)
def test_nobody_becomes_somebody_else_who_is_in_the_file_too(others: list[Fields]) -> None:
    """Sisters with one address, of whom the second comes later."""
    world = World()
    imported(world, ANA)
    imported(world, *others, {**ANA, "last_name": "Silvaa"})

    assert sorted(each.last_name for each in people(world)) == ["Silva", "Silvaa"]


@pytest.mark.parametrize(
    "row",
    [
        {**ANA, "last_name": "Silvaa", "email": "another@example.com"},
        {**ANA, "first_name": "Bea"},
        {**ANA, "last_name": "Silvaa", "external_id": "A"},
    ],
)
def test_a_name_alone_that_is_alike_makes_nobody_the_same(row: Fields) -> None:
    world = World()
    imported(world, ANA)
    imported(world, row)

    assert len(people(world)) == 2


def test_who_has_an_id_or_was_renamed_by_hand_is_not_taken_for_another() -> None:
    for known, edit in (({**ANA, "external_id": "A"}, {}), (ANA, {"last_name": "Souza"})):
        world = World()
        imported(world, known)
        [before] = people(world)
        if edit:
            world.customer_service.change(BUSINESS_ID, before.customer_id, edit)
        imported(world, {**ANA, "last_name": "Souzza" if edit else "Silvaa"})

        assert len(people(world)) == 2


def test_of_one_name_each_that_had_no_address_is_known_once() -> None:
    world = World()
    bare = without(ANA, "email", "mobile_phone")
    imported(world, bare, bare, {**bare, "birthday": "1980-01-01"})
    mended = [{**bare, "email": f"{number}@example.com"} for number in range(2)]
    view = imported(world, *mended, {**bare, "birthday": "1980-01-01"}, {**bare, "email": "fourth@example.com"})

    # The line that has no address yet is the first of its name; what it says goes to whom the first line made.
    assert view.counts.created == 1
    assert len(people(world)) == 4


def test_in_a_file_of_several_parts_an_address_that_is_mended_is_known_and_a_name_is_not() -> None:
    for before, after, count in (
        ({**ANA, "email": "odd", "mobile_phone": ""}, ANA, 1),
        ({**ANA, "last_name": "Silvaa"}, ANA, 2),
    ):
        world = World()
        world.import_part_bytes = 40
        imported(world, before)
        imported(world, after, {"first_name": "Zoe", "last_name": "Lind"})

        assert sum(each.first_name == "Ana" for each in people(world)) == count


letters = st.text("abcde ", max_size=12).map(str.strip)


@given(st.tuples(letters, letters), st.tuples(letters, letters))
def test_names_are_alike_both_ways_round(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert is_mended(one, other) is is_mended(other, one)
    assert is_mended(one, one)
    assert is_mended(one, one[::-1])


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("osei", "osei", True),
        ("lena", "lina", False),
        ("tim", "tom", False),
        ("chiara", "chiarra", True),
        ("chiara", "chaira", True),
        ("chiara", "clara", False),
        ("lindqvist", "lindkwist", True),
        ("benedetti", "benedict", False),
        ("anna", "anna maria", True),
        ("a.", "anna", True),
        ("an", "anna", False),
        ("", "anna", False),
    ],
)
def test_which_names_are_alike(one: str, other: str, alike: bool) -> None:
    names: tuple[Any, ...] = ((one, "osei"), (other, "osei"))
    assert is_mended(*names) is alike
