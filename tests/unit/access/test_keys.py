"""A key opens its own business, until it ends, and nothing of its secret is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.access.domain import ApiKey, hash_of, read_token, write_token
from rebound.kernel.api_scopes import ALL_SCOPES
from tests.fakes.making import at

parts = st.text(alphabet="abcXYZ019-_", min_size=1, max_size=20)
KEY = ApiKey("salon", "key-1", hash_of("secret"), ALL_SCOPES, created_at=at(0), expires_at=at(10))


@given(parts, parts, parts)
def test_a_token_names_its_business_its_key_and_its_secret(business_id: str, key_id: str, secret: str) -> None:
    assert read_token(write_token(business_id, key_id, secret)) == (business_id, key_id, secret)


@given(st.text(max_size=60))
def test_any_other_text_is_no_token(text: str) -> None:
    assert read_token(text) is None or text.startswith("rb.")


@pytest.mark.parametrize("token", ["", "rb", "rb...", "rb.a.b", "rb.a.b.", "rb..b.c", "xx.a.b.c", "rb.a.b.c.d"])
def test_a_token_with_a_part_too_few_or_too_many_opens_nothing(token: str) -> None:
    assert read_token(token) is None


def test_a_key_opens_with_its_own_secret_until_it_ends() -> None:
    assert KEY.opens_with("secret", at(9.9))
    assert not KEY.opens_with("secret", at(10))
    assert not KEY.opens_with("Secret", at(1))
    assert not KEY.opens_with("", at(1))


def test_the_secret_is_not_kept() -> None:
    assert "secret" not in repr(KEY).replace("secret_hash", "")
