"""Phone numbers as people, address books, booking systems and spreadsheets write them."""

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from rebound.contacts.adapters.addresses import LibraryAddressReader
from rebound.kernel.channels import Channel, ContactKey, canonical_number, former_spelling

READER = LibraryAddressReader()
COUNTRIES = ("AT", "AU", "BE", "BR", "CH", "DE", "ES", "FR", "GB", "IE", "IN", "IT", "NL", "PL", "PT", "SE", "US")
INVISIBLE = "\u200b\u200e\u200f\u202a\u202c\u202d\u2060\u2066\u2069\ufeff\u00ad"
SPACES = " \u00a0\u2007\u2009\u202f\u3000\t"

mobiles = st.sampled_from(
    [
        (country, number)
        for country in COUNTRIES
        if (number := phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE)) is not None
    ]
)


@pytest.mark.parametrize(
    ("country", "written", "read"),
    [
        ("DE", "4915112345678", "+4915112345678"),
        ("DE", "49 176 1234567", "+491761234567"),
        ("DE", "0049 151 12345678", "+4915112345678"),
        ("DE", "+49 (0) 151 12345678", "+4915112345678"),
        ("DE", "(+49) 151 12345678", "+4915112345678"),
        ("DE", "tel:+4915112345678", "+4915112345678"),
        ("DE", "'+4915112345678", "+4915112345678"),
        ("DE", "\uff10\uff11\uff15\uff11 12345678", "+4915112345678"),
        ("DE", "15551234567", "+4915551234567"),
        ("US", "\u202d+1 415 555 0123\u202c", "+14155550123"),
        ("US", "1 415 555 0123", "+14155550123"),
        ("DE", "+49\u00a0151 12345678", "+4915112345678"),
        ("PT", "+493012345", "+493012345"),
        ("DE", "TEL:+49-151-12345678", "+4915112345678"),
        ("JP", "090\u30fc1234\u30fc5678", "+819012345678"),
        ("MX", "+52 1 55 1234 5678", "+525512345678"),
        ("MX", "5215512345678", "+525512345678"),
        ("AR", "11 15-5555-0123", "+5491155550123"),
        ("BR", "(54) 99999-0000", "+5554999990000"),
        ("BR", "(54) 9999-0000", "+555499990000"),
    ],
)
def test_a_mobile_number_is_read_as_it_is_meant(country: str, written: str, read: str) -> None:
    assert READER.phone(written, country) == read


def test_where_both_readings_are_valid_only_a_mobile_field_takes_the_mobile_one() -> None:
    assert READER.phone("4915112345678", "DE", mobile=True) == "+4915112345678"
    assert READER.phone("4915112345678", "DE", mobile=False) == "+494915112345678"


@given(mobiles, st.data())
def test_a_mobile_number_is_the_same_however_it_is_written(
    known: tuple[str, phonenumbers.PhoneNumber], data: st.DataObject
) -> None:
    country, number = known
    right = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    written = data.draw(
        st.sampled_from(
            [
                phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
                phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
                phonenumbers.format_number(number, PhoneNumberFormat.RFC3966),
                right,
                right.removeprefix("+"),
                phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL).removeprefix("+"),
            ]
        )
    )
    pasted = written.replace(" ", data.draw(st.sampled_from(SPACES)))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(pasted)))
        pasted = pasted[:place] + data.draw(st.sampled_from(INVISIBLE)) + pasted[place:]

    assert READER.phone(pasted, country) == right


@pytest.mark.parametrize(
    ("country", "written", "why"),
    [
        ("US", "555-0123", "only inside one town"),
        ("GB", "1111", "again and again"),
        ("GB", "765432", "only inside one town"),
        ("DE", "110", "emergency"),
        ("DE", "112", "emergency"),
        ("US", "911", "emergency"),
        ("FR", "15", "emergency"),
        ("DE", "116117", "short number"),
        ("US", "000-000-0000", "again and again"),
        ("US", "(999) 999-9999", "again and again"),
        ("DE", "+49 0000000", "again and again"),
        ("US", "+1 111 111 1111", "again and again"),
        ("US", "555-0123 Mom", "letters"),
        ("US", "1-800-FLOWERS", "letters"),
        ("DE", "0171 1234567 (Axel)", "letters"),
        ("DE", "0171 1234567 Axel x12", "letters"),
        ("DE", "15112345678.0", "leave the .0 out"),
        ("DE", "+4915112345678,0", "leave the .0 out"),
        ("US", "1.41556E+10", "digits are lost"),
        ("DE", "4,91511e+12", "digits are lost"),
        ("DE", "+49 151 12345678 ext 3", "without an extension"),
        ("DE", "#REF!", "Must be a phone number"),
        ("DE", "n/a", "Must be a phone number"),
        ("DE", "0171 1234567 / 030 1234567", "Must be a phone number"),
    ],
)
def test_what_reaches_nobody_is_refused_with_what_is_wrong(country: str, written: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        READER.phone(written, country)


@given(mobiles, st.sampled_from("aBcdxXyzÄéжשن"), st.data())
def test_a_letter_anywhere_is_no_digit(
    known: tuple[str, phonenumbers.PhoneNumber], letter: str, data: st.DataObject
) -> None:
    country, number = known
    written = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    place = data.draw(st.integers(0, len(written)))

    with pytest.raises(ValueError, match="Must be"):
        READER.phone(written[:place] + letter + written[place:], country)


@given(mobiles, st.sampled_from(["{0}.0", "{0}.00", "{0},0", "{1:.4E}", "{1:.5e}", "{1:.3G}"]), st.booleans())
def test_what_a_spreadsheet_made_of_a_number_is_refused(
    known: tuple[str, phonenumbers.PhoneNumber], shape: str, comma: bool
) -> None:
    country, number = known
    digits = phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")
    written = shape.format(digits, float(digits))

    with pytest.raises(ValueError, match="spreadsheet"):
        READER.phone(written.replace(".", ",") if comma else written, country)


@given(st.sampled_from(COUNTRIES), st.sampled_from("0123456789"), st.integers(3, 14), st.sampled_from("- .()/"))
def test_one_digit_again_and_again_is_no_number(country: str, digit: str, length: int, between: str) -> None:
    with pytest.raises(ValueError, match=r"Is one digit again and again|Must be a phone number"):
        READER.phone(between.join(digit * length), country)


@pytest.mark.parametrize(
    ("country", "written", "read"),
    [
        ("GB", "020 7946 0958 ext 12", "+442079460958 ext. 12"),
        ("GB", "+44 20 7946 0958;ext=12", "+442079460958 ext. 12"),
        ("US", "(212) 555-0100 x45", "+12125550100 ext. 45"),
        ("US", "212-555-0100 Ext. #45", "+12125550100 ext. 45"),
        ("DE", "030 1234567 Durchwahl 12", "+49301234567 ext. 12"),
        ("FR", "01 42 68 53 00 poste 12", "+33142685300 ext. 12"),
        ("BR", "(11) 3456-7890 ramal 12", "+551134567890 ext. 12"),
        ("NL", "020 123 4567 toestel 12", "+31201234567 ext. 12"),
        ("IT", "06 1234 5678 interno 12", "+390612345678 ext. 12"),
        ("ES", "912 345 678 extensión 12", "+34912345678 ext. 12"),
        ("GB", "020 7946 0958", "+442079460958"),
        ("PT", "21 123 4567 extensão 12", "+351211234567 ext. 12"),
    ],
)
def test_a_number_that_is_never_texted_keeps_its_extension(country: str, written: str, read: str) -> None:
    assert READER.phone(written, country, mobile=False) == read
    assert READER.phone(read, country, mobile=False) == read


def test_an_extension_has_at_most_seven_digits() -> None:
    with pytest.raises(ValueError, match="at most 7 digits"):
        READER.phone("+442079460958 ext. 12345678", "GB", mobile=False)


numbers = st.one_of(
    st.from_regex(r"\+(521?|549?|55|229|22901)[0-9]{8,11}", fullmatch=True),
    st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True),
)


@given(numbers)
def test_a_phone_has_one_canonical_number(number: str) -> None:
    canonical = canonical_number(number)
    former = former_spelling(canonical)

    assert canonical_number(canonical) == canonical
    assert former_spelling(number) is None or canonical == number
    if number != canonical:
        assert former == number
    if former is not None:
        assert canonical_number(former) == canonical


@pytest.mark.parametrize(
    ("old", "today"),
    [
        ("+5215512345678", "+525512345678"),
        ("+5491155550123", "+541155550123"),
        ("+555499990000", "+5554999990000"),
        ("+22997123456", "+2290197123456"),
    ],
)
def test_old_and_new_spellings_are_one_contact(old: str, today: str) -> None:
    assert canonical_number(old) == today
    assert former_spelling(today) == old
    assert ContactKey.of("b", Channel.SMS, old) == ContactKey.of("b", Channel.SMS, today)


@pytest.mark.parametrize(
    "number", ["+551141234567", "+5511941234567", "+14155550123", "+52155123456", "+4915112345678"]
)
def test_other_numbers_have_one_spelling(number: str) -> None:
    """A Brazilian landline is not the mobile number with a 9 before it."""
    assert canonical_number(number) == number
    assert former_spelling(number) is None


@given(mobiles)
def test_a_number_that_is_kept_can_be_given_again(known: tuple[str, phonenumbers.PhoneNumber]) -> None:
    country, number = known
    read = READER.phone(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL), country)
    assume(read)

    assert READER.phone(read, "PT") == read
