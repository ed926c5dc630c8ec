"""The text part of an email that has only HTML."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.templates.domain.html_as_text import html_as_text


def test_styles_and_scripts_are_not_read_and_blocks_are_lines() -> None:
    source = (
        "<!DOCTYPE html><head><title>T</title><style>p { color: red }</style></head><h1>Hi &amp; bye</h1>"
        "<script>if (a<b) x()</script><p>One<br>two</p><ul><li>a<li>b</ul><!-- c --><a href='#'>##{{first_name}}</a>"
    )

    assert html_as_text(source) == "Hi & bye\n\nOne\ntwo\n\na\nb\n##{{first_name}}"


@pytest.mark.parametrize("tag", ["style", "script", "title", "head", "STYLE"])
@pytest.mark.parametrize("template", ["<p>One</p></{}><p>Two</p>", "</{}>One<p>Two", "<p>One</{}  ><br>Two</p>"])
def test_an_end_that_nothing_began_takes_nothing_away(tag: str, template: str) -> None:
    assert html_as_text(template.format(tag)).split() == ["One", "Two"]


@pytest.mark.parametrize("source", ["<style>a</script>b</style>One", "<script><style>x</script>One", "<style>a"])
def test_what_is_not_read_ends_with_its_own_end_only(source: str) -> None:
    assert html_as_text(source) == ("One" if "One" in source else "")


@given(st.text(alphabet="<>/ab!-'\" \n&;"))
def test_whatever_is_no_html_is_read_somehow(source: str) -> None:
    text = html_as_text(source)

    assert text == text.strip()
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<a href="https://salon.example/book">Book here</a>', "Book here ( https://salon.example/book )"),
        ('Please <a href="https://s.example">book</a>, Ana.', "Please book ( https://s.example ), Ana."),
        ('<a href="https://s.example/a">https://s.example/a</a>', "https://s.example/a"),
        ('<a href="https://s.example/?a=1&amp;copy=2&lang=de">x</a>', "x ( https://s.example/?a=1&copy=2&lang=de )"),
        ('<a href="#">Top</a> <a href="">x</a> <a name="y">y</a> <a href="javascript:x()">z</a>', "Top x y z"),
        ('<a href="mailto:a@s.example?subject=Hi">a@s.example</a>', "a@s.example"),
        ('<a href="mailto:a@s.example?subject=Hi">Write</a>', "Write ( a@s.example )"),
        ('<a href="tel:+14155550123">Call</a>', "Call ( +14155550123 )"),
        ('<a href="https://s.example"><img src="b.png" alt="Book now"></a>', "Book now ( https://s.example )"),
        ('<a href="https://s.example"><img src="b.png"></a>', "https://s.example"),
        ('<a href="https://s.example"></a>Hi', "Hi"),
        (
            '<a href="https://s.example"><table><tr><td>Book</td></tr></table></a><p>Hi</p>',
            "Book ( https://s.example )\n\nHi",
        ),
        (
            '<a href="https://s.example/1">One <a href="https://s.example/2">Two',
            "One ( https://s.example/1 ) Two ( https://s.example/2 )",
        ),
        ('<a href="https://s.example/a b">x</a>', "x ( https://s.example/a%20b )"),
        ("<table><tr><td>Cut</td><td>45 EUR</td></tr><tr><th>Dye</th><td>80</td></tr></table>", "Cut 45 EUR\nDye 80"),
        ("<td>a</td><td>b</td>", "a b"),
        ("<!-- old: <b>50 % off</b> -->Hi<!--[if mso]><center>RSVP</center><![endif]-->", "Hi"),
        ("<!--[if mso]>RSVP<![endif]--><!--[if !mso]><!-->RSVP<!--<![endif]-->", "RSVP"),
        ("<![if !mso]>RSVP<![endif]>", "RSVP"),
        ("<style>a{b:c}</style>Hi</style> there<style>", "Hi there"),
        ("</style>Hi</script></title>", "Hi"),
        ("<style type='a>b'>x</style>Hi <i title='a>b'>Ana</i>", "Hi Ana"),
        ("<head><title>T</title><meta name=x></head><body>Hi</body>", "Hi"),
        ("<div style='display:none'>Look inside &zwnj;&nbsp;</div><p>Hi</p>", "Hi"),
        ("Hi\u00ad\u200b there\ufeff", "Hi there"),
        ("a < b && c > d <3", "a < b && c > d <3"),
    ],
)
def test_a_reader_without_html_gets_what_others_see_and_where_links_lead(source: str, text: str) -> None:
    assert html_as_text(source) == text


LINK = '<a href="https://s.example/{0}">{0}</a>'


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (f"{LINK.format('a')}{LINK.format('b')}", "a ( https://s.example/a ) b ( https://s.example/b )"),
        (f"<b>{LINK.format('a')}</b><i>{LINK.format('b')}</i>", "a ( https://s.example/a ) b ( https://s.example/b )"),
        (f"{LINK.format('a')}now", "a ( https://s.example/a ) now"),
        (f"({LINK.format('a')}).", "(a ( https://s.example/a ))."),
        (f"Press {LINK.format('a')}, please", "Press a ( https://s.example/a ), please"),
        (
            "<a href='https://a.example'>https://a.example</a><a href=//b.example>//b.example</a>",
            "https://a.example //b.example",
        ),
        ("<a href='https://a.example'><img></a><a href=//b.example><img></a>x", "https://a.example //b.example x"),
        ("See<a href='https://a.example'><img alt=''></a>now", "See https://a.example now"),
        ("<a href='#a'>One</a><a href='#b'>Two</a>", "One Two"),
        ("<a name=x></a>O<a name=y></a>ne", "One"),
        ("un<a href='#a'>done</a>s", "undones"),
        ("<p><a href=//a.example>a</a></p><p><a href=//b.example>b</a></p>", "a ( //a.example )\n\nb ( //b.example )"),
    ],
)
def test_nothing_runs_into_a_link(source: str, text: str) -> None:
    assert re.sub(r"\n+", "\n\n", html_as_text(source)) == text


WORDS = st.text(alphabet="abcdef", min_size=1, max_size=6)


@given(st.lists(st.tuples(WORDS, WORDS, st.sampled_from(["a", "td", "hide", "comment", "style", "stray"])), max_size=8))
def test_each_link_and_each_cell_of_any_email_is_there_and_nothing_that_is_hidden(
    written: list[tuple[str, str, str]],
) -> None:
    forms = {
        "a": '<a class="x>y" href="https://s.example/{1}">{0}</a>',
        "td": "<td>{0}</td><td>{1}</td>",
        "hide": "<div style='display: none'>NO{0}<a href='https://NO.example'>{1}</a></div>",
        "comment": "<!-- NO {0} <a href='https://NO.example'>{1}</a> -->",
        "style": "<style>NO{0}</style>",
        "stray": "</style></a></table>",
    }
    words = html_as_text("".join(forms[form].format(one, two) for one, two, form in written)).split()
    expected = [
        word
        for one, two, form in written
        for word in {"a": (one, "(", f"https://s.example/{two}", ")"), "td": (one, two)}.get(form, ())
    ]

    assert words == expected


@pytest.mark.parametrize("tag", ["tr", "li", "dt", "dd", "tbody", "thead", "tfoot", "option"])
def test_what_stands_in_a_list_begins_a_line_and_leaves_none_empty(tag: str) -> None:
    assert html_as_text(f"a<{tag}>b</{tag}><{tag}>c</{tag}>") == "a\nb\nc"


@pytest.mark.parametrize("tag", ["td", "th"])
def test_cells_of_a_row_do_not_touch(tag: str) -> None:
    assert html_as_text(f"<table><tr><{tag}>a</{tag}><{tag}>b</{tag}></tr></table>").split() == ["a", "b"]


@pytest.mark.parametrize("scheme", ["javascript:", "data:", "cid:", "vbscript:", "about:", "JavaScript:", "DATA:"])
def test_a_link_that_leads_nowhere_on_paper_is_its_text(scheme: str) -> None:
    assert html_as_text(f'<a href="{scheme}text/html,x">Here</a>') == "Here"


@pytest.mark.parametrize("address", ["HTTPS://example.com/a", "Http://example.com", "WWW.example.com", "//example.com"])
def test_an_address_in_capitals_is_one(address: str) -> None:
    assert address in html_as_text(f'<a href="{address}">Here</a>')
