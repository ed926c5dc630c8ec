"""How addresses are read and where numbers may be: one suite against the fake and the libraries."""

import sys

import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from rebound.contacts.adapters.addresses import LibraryAddressReader
from rebound.contacts.adapters.number_zones import zones_of_number
from rebound.contacts.ports import AddressReader
from tests.contract.contacts.fakes import PLACES, PlainAddressReader, known_whereabouts


@pytest.mark.parametrize(
    "number", [f"{prefix}5550123" for prefix in PLACES if prefix.startswith("+1")] + ["+447911123456"]
)
def test_the_fake_knows_the_places_of_numbers_as_the_map_has_them(number: str) -> None:
    assert known_whereabouts(number) == zones_of_number(number)


READERS = pytest.mark.parametrize("reader", [LibraryAddressReader(), PlainAddressReader()], ids=["library", "plain"])


@READERS
@pytest.mark.parametrize(
    ("written", "read"),
    [("ana@example.com", "ana@example.com"), (" Ana.B+c@EXAMPLE.com ", "Ana.B+c@example.com")],
)
def test_an_email_address_is_read(reader: AddressReader, written: str, read: str) -> None:
    assert reader.email(written) == read


@READERS
@pytest.mark.parametrize(
    "written", ["", "ana", "ana@", "@example.com", "a b@example.com", "a@b@c.com", "a@b..com", "a\n@b.com"]
)
def test_what_is_no_email_address_is_refused_with_a_sentence(reader: AddressReader, written: str) -> None:
    with pytest.raises(ValueError, match="Must be an email address"):
        reader.email(written)


@READERS
@pytest.mark.parametrize(
    ("written", "country", "read"),
    [
        ("+14155550123", "PT", "+14155550123"),
        ("(415) 555-0123", "US", "+14155550123"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("912 345 678", "PT", "+351912345678"),
    ],
)
def test_a_number_is_read_in_the_businesss_country(
    reader: AddressReader, written: str, country: str, read: str
) -> None:
    assert reader.phone(written, country) == read


@READERS
@pytest.mark.parametrize("written", ["", "12", "not a number", "+", "+1" * 40, "415\n5550123\x00"])
def test_what_is_no_possible_number_is_refused_with_a_sentence(reader: AddressReader, written: str) -> None:
    with pytest.raises(ValueError, match="Must be a"):
        reader.phone(written, "US")


@pytest.mark.parametrize("written", ["\u200bana@example.com", "ana@example.com\u00a0", "\u202aana@example.com\u202c"])
def test_marks_around_an_email_address_go(written: str) -> None:
    assert LibraryAddressReader().email(written) == "ana@example.com"


@pytest.mark.parametrize("written", ["ana\u200b@example.com", "ana@exam\u00adple.com", "ana\u2060@example.com"])
def test_an_invisible_mark_within_an_email_address_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="invisible"):
        LibraryAddressReader().email(written)


@pytest.mark.parametrize(
    "written", ["José@example.com", "ana@exämple.com", "x" * 65 + "@example.com", "a" * 250 + "@b.com"]
)
def test_the_library_reads_or_refuses_what_plain_rules_do_not_know(written: str) -> None:
    refusal = ""
    read = ""
    try:
        read = LibraryAddressReader().email(written)
    except ValueError as error:
        refusal = str(error)

    assert read.isascii()
    assert bool(read) != bool(refusal)
    assert written not in refusal


_ATOMS = st.sampled_from(["a", "Z9", "ana", "INFO", "info", "o'b", "_", "-", "", "x" * 60, "é", '"', "{|}~"])


_LABELS = st.sampled_from(
    ["example", "EX", "a-b", "-a", "a-", "xn--a", "ab--c", "", "1", "x" * 63, "x" * 64, "ä", "a_b"]
)


_TOPS = st.sampled_from(
    ["com", "COM", "c", "x1", "1", "local", "localhost", "onion", "arpa", "invalid", "test", "", "xn--p1ai"]
)


@given(st.lists(_ATOMS, min_size=1, max_size=3), st.lists(_LABELS, max_size=4), _TOPS)
def test_what_is_read_without_the_library_is_what_the_library_would_read(
    atoms: list[str], labels: list[str], top: str
) -> None:
    written = f"{'.'.join(atoms)}@{'.'.join([*labels, top])}"
    try:
        found = validate_email(
            written, check_deliverability=False, test_environment=True, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        with pytest.raises(ValueError, match="Must be an email address"):
            LibraryAddressReader().email(written)
    else:
        assert LibraryAddressReader().email(written) == found.ascii_email


def test_no_name_of_special_use_is_plain() -> None:
    for name in SPECIAL_USE_DOMAIN_NAMES:
        if name != "test":
            with pytest.raises(ValueError, match="special-use"):
                LibraryAddressReader().email(f"ana@example.{name}")


def test_a_plain_address_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "email_validator", None)

    assert LibraryAddressReader().email(" ana.silva+news@mail.example.co.uk ") == "ana.silva+news@mail.example.co.uk"
