"""The code of a voucher: made of campaign and recipient, typed as people type, and nobody's who invents it."""

import hmac
from hashlib import sha256
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.placeholders import SAMPLE_CODE
from rebound.kernel.receipts import MessageKey
from rebound.messages.domain.vouchers import (
    ALPHABET,
    SIGNATURE_LETTERS,
    code_of,
    number_in,
    read_code,
    written_code,
)
from tests.fakes.making import BUSINESS_ID, RUN_ID, id_of

SECRET: Final = b"a key"
numbers = st.integers(1, 10**9)
keys = st.builds(MessageKey, st.just(BUSINESS_ID), st.integers(1, 50).map(id_of), st.just(RUN_ID))


def test_a_code_has_forty_bits_and_more_and_no_letters_that_look_alike() -> None:
    assert len(ALPHABET) ** SIGNATURE_LETTERS >= 2**40
    assert len(set(ALPHABET)) == len(ALPHABET)
    assert not set(ALPHABET) & set("01OILSBZAEU")


@given(numbers, keys, st.data())
def test_a_code_is_read_however_it_is_typed(number: int, key: MessageKey, data: st.DataObject) -> None:
    code = code_of(number, key, SECRET)
    typed = "".join(
        data.draw(st.sampled_from([letter, letter.lower()])) + data.draw(st.sampled_from(["", "-", " ", " – "]))
        for letter in written_code(code)
    )

    assert read_code(typed) == read_code(written_code(code)) == code
    assert number_in(code) == number


@pytest.mark.parametrize(("read", "meant"), [("S", "5"), ("B", "8"), ("Z", "2"), ("s", "5")])
def test_what_is_misread_is_taken_for_what_it_looks_like(read: str, meant: str) -> None:
    assert read_code(f"3CDFGHJKM{read}") == f"3CDFGHJKM{meant}"


@pytest.mark.parametrize(
    "typed", ["", "-", "3", "CDFGHJKMN", "2CDFGHJKMN", "3CDFGHJKM0", "3CDFGHJKMÄ", "3CDFG/JKMN", "C" * 19, SAMPLE_CODE]
)
def test_what_can_be_no_code_is_none(typed: str) -> None:
    assert read_code(typed) is None


@given(numbers, keys, keys, st.binary(min_size=1, max_size=8))
def test_each_message_has_a_code_of_its_own(number: int, key: MessageKey, other: MessageKey, secret: bytes) -> None:
    assert (code_of(number, key, SECRET) == code_of(number, other, SECRET)) is (key == other)
    assert (code_of(number, key, secret) == code_of(number, key, SECRET)) is (secret == SECRET)
    assert code_of(number, key, SECRET) != code_of(number + 1, key, SECRET)


def test_a_code_says_nothing_that_a_link_is_signed_with() -> None:
    """The key is that of links, for another purpose: what is signed begins with a word of its own."""
    key = MessageKey(BUSINESS_ID, id_of(1), RUN_ID)
    plain = hmac.digest(SECRET, f"{BUSINESS_ID}#1#{id_of(1)}#{RUN_ID}".encode(), sha256)
    number, letters = int.from_bytes(plain[:16]) % 25**9, ""
    for _ in range(9):
        number, digit = divmod(number, 25)
        letters = ALPHABET[digit] + letters

    assert code_of(1, key, SECRET)[-9:] != letters
