"""However a mail server writes a recipient, the receipt is about the address that was sent to."""

from email.header import Header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.receipts.adapters.mailboxes import addresses_in

ATOM = st.text("abcxyzABC019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=8)
LOCAL = st.lists(ATOM, min_size=1, max_size=3).map(".".join)
DOMAIN = st.lists(st.text("abcXYZ019", min_size=1, max_size=8), min_size=2, max_size=3).map(".".join)
ADDRESS = st.tuples(LOCAL, DOMAIN).map("@".join)
SPACE = st.sampled_from(["", " ", "\t", "\r\n ", "  "])
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def comment(text: str) -> str:
    return "(" + "".join(f"\\{c}" if c in "()\\" else c for c in text) + ")"


NAME = st.one_of(
    st.just(""),
    st.lists(st.text("abcXYZ", min_size=1, max_size=6), min_size=1, max_size=3).map(" ".join),
    PRINTABLE.map(quoted),
    st.text(min_size=1, max_size=8).filter(str.isprintable).map(lambda name: Header(name, "utf-8").encode()),
)
COMMENT = st.one_of(st.just(""), PRINTABLE.map(comment), PRINTABLE.map(lambda text: comment("in") + comment(text)))


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """An address, and a form of RFC 5322 in which it is written."""
    address = draw(ADDRESS)
    local, domain = address.split("@")
    spelt = f"{quoted(local)}@{domain}" if draw(st.booleans()) else address
    if draw(st.booleans()):
        spelt = f"{spelt}."
    route = draw(st.sampled_from(["", "@relay.example:", "@relay.example,@b.example:"]))
    match draw(st.sampled_from(["angle", "bare", "group"])):
        case "angle":
            text = f"{draw(NAME)}{draw(SPACE)}<{route}{spelt}>"
        case "bare":
            text = spelt
        case _:
            text = f"Team:{draw(SPACE)}{draw(NAME)} <{spelt}>;"
    return address, f"{draw(SPACE)}{text}{draw(SPACE)}{draw(COMMENT)}{draw(SPACE)}"


@given(written())
def test_every_form_of_an_address_is_read_as_the_address(drawn: tuple[str, str]) -> None:
    address, text = drawn

    assert addresses_in(text) == (address,)


@pytest.mark.parametrize(
    "text",
    [
        "ana@example.com",
        " ana@example.com.\r\n",
        "Ana Silva <ana@example.com>",
        "<ana@example.com>",
        "<ana@example.com.>",
        '"Silva, Ana" <ana@example.com>',
        '"Ana <x@example.org>" <ana@example.com>',
        "Silva, Ana <ana@example.com>",
        "=?utf-8?Q?Silva,_Ana?= <ana@example.com>",
        "=?utf-8?B?U2lsdmEsIEFuYQ==?= <ana@example.com>",
        "ana@example.com (Ana (at home) \\) Silva)",
        "ana (home) @ example (dot) . com",
        '"ana"@example.com',
        "<@relay.example:ana@example.com>",
        "rfc822; ana@example.com",
        "RFC822;<ana@example.com>",
        "Ana <ana@example.com",
        "Ana@Home <ana@example.com>",
        "'ana@example.org' <ana@example.com>",
        "ana@example.org <ana@example.com>",
        "ana@example.com (not <ana@example.org> (nor <x@example.org>))",
        '<"ana"@example.com>',
    ],
)
def test_forms_seen_in_reports_name_the_address(text: str) -> None:
    assert addresses_in(text) == ("ana@example.com",)


ASIDE = (
    st.sampled_from(["", "", " ", "\t", "\r\n "])
    | PRINTABLE.map(comment)
    | PRINTABLE.map(lambda t: f" ({t[:0]}{comment(t)}) ")
)


@given(
    st.lists(st.tuples(ATOM, st.booleans()), min_size=1, max_size=4),
    DOMAIN,
    st.sampled_from(["{}", "Ana <{}>", '"Silva, A." <{}>', "J. (Jo) Silva <{}>", "Team: {};", "rfc822; {}", "{}."]),
    st.data(),
)
def test_comments_and_spaces_may_stand_around_every_word_of_an_address(
    words: list[tuple[str, bool]], domain: str, form: str, data: st.DataObject
) -> None:
    def apart(sign: str) -> str:
        return data.draw(ASIDE) + sign + data.draw(ASIDE)

    local = "".join(
        (apart(".") if number else "") + (quoted(word) if is_quoted else word)
        for number, (word, is_quoted) in enumerate(words)
    )
    text = form.format(data.draw(ASIDE) + local + apart("@") + apart(".").join(domain.split(".")))

    assert addresses_in(text) == (f"{'.'.join(word for word, _ in words)}@{domain}",)


@pytest.mark.parametrize(
    "text", ["(" * 5_000, '"' * 4_999, ". " * 2_500, " " * 5_000 + "x", "a." * 2_500, '"a".' * 1_200]
)
def test_no_text_keeps_a_receipt_waiting(text: str) -> None:
    assert addresses_in(text)


def test_a_domain_of_other_letters_becomes_the_one_that_mail_goes_to() -> None:
    assert addresses_in("Ana <ana@münchen.example>") == ("ana@xn--mnchen-3ya.example",)


def test_a_group_has_many() -> None:
    assert addresses_in('Silvas: ana@example.com, "B, S" <bruno@example.com>;') == (
        "ana@example.com",
        "bruno@example.com",
    )


@given(st.text(max_size=30))
def test_what_is_no_address_stays_what_it_is_and_is_no_error(text: str) -> None:
    found = addresses_in(text)

    assert found
    assert all("@" in address for address in found) or len(found) == 1
