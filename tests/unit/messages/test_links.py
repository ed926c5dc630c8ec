"""A link in a message speaks for exactly the address it was sent to, and nobody can make or change one."""

import base64
import re
import string
from copy import replace
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import NotFoundError
from rebound.kernel.receipts import MessageKey
from rebound.messages.application.write_links import LinkWriter
from rebound.messages.domain.links import MAX_TOKEN, Link, LinkKeys, Purpose, key_id_of, read_token, write_token
from rebound.preferences.application.follow_links import LinkReader
from tests.contract.messages.fakes import FIRST_KEY, MemoryLinkKeyring
from tests.fakes.making import BUSINESS_ID, RUN_ID, at, contact_key, contacts_of, customer, id_of, message, message_key
from tests.fakes.world import World

KEYS: Final = LinkKeys(1, {1: FIRST_KEY, 2: b"another key"})
URL_SAFE: Final = string.ascii_letters + string.digits + "-_"
REAL_BUSINESS: Final = "01kajf3v9s2m4q8x7d5hwzt6ye"

ulids = st.integers(0, (1 << 128) - 1).map(
    lambda number: "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> 5 * n & 31] for n in reversed(range(26)))
)
business_ids = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=40)
addresses = st.one_of(st.emails(), st.integers(10**7, 10**14).map(lambda number: f"+{number}"), st.text(min_size=1))


@st.composite
def links(draw: st.DrawFn) -> Link:
    business_id = draw(business_ids)
    contact = ContactKey(business_id, draw(st.sampled_from(Channel)), draw(addresses).lower())
    key = MessageKey(business_id, f"{draw(st.integers(0, (1 << 128) - 1)):032x}", draw(ulids))
    return Link.to(draw(st.sampled_from(Purpose)), contact, key, draw(st.sampled_from(Scope)))


def link(purpose: Purpose = Purpose.UNSUBSCRIBE, number: int = 1, scope: Scope = Scope.MARKETING) -> Link:
    return Link.to(purpose, contact_key(number), message_key(number), scope)


@given(links(), st.sampled_from([1, 2]))
def test_a_token_says_what_was_written(link: Link, current: int) -> None:
    token = write_token(link, replace(KEYS, current=current))

    assert read_token(token, link.purpose, KEYS) == link
    assert key_id_of(token) == current


@pytest.mark.parametrize(
    ("scope", "bits"),
    [(Scope.ALL, 0b00), (Scope.MARKETING, 0b01), (Scope.LOYALTY, 0b10), (Scope.TRANSACTIONAL, 0b11)],
)
def test_links_that_are_out_there_go_on_to_mean_what_they_meant(scope: Scope, bits: int) -> None:
    """The two bits of a scope in a token: those of a link that was sent once stand in somebody's mailbox for years."""
    raw = base64.urlsafe_b64decode(write_token(link(scope=scope), KEYS) + "==")

    assert raw[2] >> 2 & 3 == bits


@given(links())
def test_a_token_is_one_part_of_a_path_and_holds_no_address(link: Link) -> None:
    token = write_token(link, KEYS)

    assert set(token) <= set(URL_SAFE)
    assert len(token) <= MAX_TOKEN


def test_the_header_line_with_a_token_stays_far_below_what_a_line_may_have() -> None:
    real = Link.to(
        Purpose.UNSUBSCRIBE,
        ContactKey(REAL_BUSINESS, Channel.EMAIL, "a" * 64 + "@" + "b" * 185 + ".com"),
        MessageKey(REAL_BUSINESS, id_of(1), RUN_ID),
    )
    token = write_token(real, KEYS)

    # RFC 5322 §2.1.1 allows 998, SES 996 with the name of the header.
    assert len(token) == 146
    # A mail program that makes a link of bare text may take a last hyphen or underscore for punctuation.
    assert token[-1] in "AQgw"


def test_every_other_token_is_refused_whatever_is_changed_in_one() -> None:
    token = write_token(link(), KEYS)
    changed = {
        token[:place] + other + token[place + 1 :] for place in range(len(token)) for other in URL_SAFE + "=.%/+ é"
    } - {token}

    assert len(changed) > len(token) * 60
    assert {read_token(forged, Purpose.UNSUBSCRIBE, KEYS) for forged in changed} == {None}


@given(links(), st.data())
def test_a_token_with_any_other_bytes_is_refused(link: Link, data: st.DataObject) -> None:
    token = write_token(link, KEYS)
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    cut = data.draw(st.integers(0, len(raw)))
    other = raw[:cut] + data.draw(st.binary(max_size=40)) + raw[data.draw(st.integers(cut, len(raw))) :]
    assume(other != raw)

    assert read_token(base64.urlsafe_b64encode(other).rstrip(b"=").decode(), link.purpose, KEYS) is None


@given(st.text(max_size=300))
def test_any_other_text_is_no_token_and_no_error(text: str) -> None:
    assert read_token(text, Purpose.UNSUBSCRIBE, KEYS) is None


@pytest.mark.parametrize("padding", ["=", "==", "A", "AAAA", "\n", " "])
def test_there_is_one_way_to_write_a_token(padding: str) -> None:
    assert read_token(write_token(link(), KEYS) + padding, Purpose.UNSUBSCRIBE, KEYS) is None


@pytest.mark.parametrize("written", Purpose)
@pytest.mark.parametrize("read", Purpose)
def test_a_link_for_one_purpose_does_for_no_other(written: Purpose, read: Purpose) -> None:
    found = read_token(write_token(link(written), KEYS), read, KEYS)

    assert found == (link(written) if read is written else None)


@pytest.mark.parametrize("part", ["business", "customer", "message", "contact", "scope"])
def test_no_part_of_a_link_can_be_put_into_another(part: str) -> None:
    own, other = (
        link(),
        Link.to(
            Purpose.UNSUBSCRIBE,
            ContactKey("studio-maple-", Channel.EMAIL, "ben@example.com"),
            MessageKey("studio-maple-", id_of(2), RUN_ID[:-1] + "3"),
            Scope.LOYALTY,
        ),
    )
    places = {
        "scope": slice(2, 3),
        "customer": slice(3, 19),
        "message": slice(19, 35),
        "contact": slice(35, 67),
        "business": slice(67, 80),
    }
    raw, of_other = (bytearray(base64.urlsafe_b64decode(write_token(each, KEYS) + "==")) for each in (own, other))
    assert len(raw) == len(of_other)
    raw[places[part]] = of_other[places[part]]

    assert read_token(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), Purpose.UNSUBSCRIBE, KEYS) is None


def test_an_old_key_opens_until_it_is_taken_away() -> None:
    keyring = MemoryLinkKeyring()
    token = write_token(link(), keyring.keys())
    keyring.rotate(2, b"a newer key")

    assert write_token(link(), keyring.keys()) != token
    assert read_token(token, Purpose.UNSUBSCRIBE, keyring.keys()) == link()
    assert read_token(token, Purpose.UNSUBSCRIBE, LinkKeys(2, {2: b"a newer key"})) is None
    assert read_token(token, Purpose.UNSUBSCRIBE, LinkKeys(1, {1: b"another deployment's"})) is None


def test_keys_are_not_shown() -> None:
    assert "first key" not in repr(KEYS)


# --- what a link speaks for -------------------------------------------------------------------------------------------


class Case:
    """A world with customers 1 and 2, and the reader of its links."""

    def __init__(self) -> None:
        self.world = World()
        keyring = MemoryLinkKeyring()
        self.writer = LinkWriter(keyring=keyring, public_url="https://rebound.example.com/live")
        self.reader = LinkReader(
            keyring=keyring,
            messages=self.world.messages,
            customers=self.world.customers,
            contacts=self.world.contacts,
            short_links=self.world.short_links,
        )
        people = [customer(1), customer(2)]
        self.world.customers.save(people, contacts_of(*people))

    def sent(self, *, logged: bool = True, address: str = "ana1@example.com") -> Link:
        """A link in a message to customer 1, as it comes back."""
        if logged:
            self.world.messages.record_new([message(1, address=address)])
        urls = self.writer.urls(contact_key(1), message_key(1), {Purpose.UNSUBSCRIBE: Scope.MARKETING})
        prefix, _, token = urls[Purpose.UNSUBSCRIBE].rpartition("/")
        assert prefix == "https://rebound.example.com/live/v1/unsubscribe"
        found = self.reader.read(token, Purpose.UNSUBSCRIBE)
        assert found is not None
        return found


@pytest.mark.parametrize("logged", [True, False])
def test_a_link_speaks_for_the_address_it_was_sent_to(logged: bool) -> None:
    case = Case()

    assert case.reader.contact(case.sent(logged=logged)) == case.world.contacts.rows[contact_key(1)]


@pytest.mark.parametrize("logged", [True, False])
def test_a_link_speaks_for_the_old_address_of_a_customer_who_has_another(logged: bool) -> None:
    case = Case()
    link = case.sent(logged=logged)
    case.world.customer_service.change(BUSINESS_ID, id_of(1), {"email": "new@example.com"})

    assert case.reader.contact(link).key == contact_key(1)


def test_a_link_speaks_for_an_address_that_its_customer_left_to_others() -> None:
    case = Case()
    link = case.sent()
    case.world.customer_service.change(BUSINESS_ID, id_of(2), {"email": "ana1@example.com"})
    case.world.customer_service.delete(BUSINESS_ID, id_of(1))

    found = case.reader.contact(link)
    assert (found.key, set(found.customer_ids)) == (contact_key(1), {id_of(2)})


def test_a_link_speaks_for_the_address_of_a_customer_who_is_deleted() -> None:
    case = Case()
    link = case.sent()
    case.world.customer_service.delete(BUSINESS_ID, id_of(1))

    found = case.reader.contact(link)
    assert (found.key, found.is_used) == (contact_key(1), False)


def test_a_link_finds_what_is_remembered_of_an_address_that_nothing_else_knows_any_more() -> None:
    case = Case()
    link = case.sent(logged=False)
    stated = ConsentEvidence(at(5), Scope.LOYALTY, opted_out=True, source=ConsentSource.STAFF)
    case.world.know(contact_key(1), stated)
    case.world.customer_service.delete(BUSINESS_ID, id_of(1))

    found = case.reader.contact(link)
    assert (found.key, set(found.consent.statements)) == (contact_key(1).hashed, {stated})


def test_a_link_that_nothing_knows_the_address_of_speaks_for_nobody() -> None:
    case = Case()
    link = case.sent(logged=False)
    case.world.customer_service.delete(BUSINESS_ID, id_of(1))

    with pytest.raises(NotFoundError):
        case.reader.contact(link)


def test_an_address_that_the_log_had_to_guess_is_not_believed() -> None:
    case = Case()

    assert case.reader.contact(case.sent(address="ana2@example.com")).key == contact_key(1)


def test_what_is_no_link_of_ours_is_not_read() -> None:
    reader = Case().reader

    assert [reader.read(token, Purpose.UNSUBSCRIBE) for token in ("", "x", "AAAA", "é", "A" * 400)] == [None] * 5
    assert not re.search("ana1", repr(Case().sent()))
