"""A footer stands where a recipient sees it, and only what a recipient sees stands for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.categories import Category
from rebound.messages.domain.footers import LINKS
from rebound.messages.domain.html_as_text import html_as_text
from rebound.messages.domain.mailing import EmailContent
from rebound.messages.domain.rendering import VARIABLES, check_content, render_email

UNSUBSCRIBE = "https://r.example.com/v1/unsubscribe/T"
PLACED = "##{{unsubscribe_url}}"
FOOTER = '<div lang="en"'


def as_sent(html: str) -> str:
    content = EmailContent("s", html)
    check_content(content, Category.MARKETING)
    links = dict(zip(LINKS, (UNSUBSCRIBE, "https://r.example.com/p"), strict=True))
    return render_email(content, Category.MARKETING, "en", {**dict.fromkeys(VARIABLES, ""), **links}).html


HIDING = [
    "<!-- {} -->",
    "<!--{}--!>",
    "<!-- > {} -- > -->",
    "<!--[if mso]>{}<![endif]-->",
    "<!--[if mso]><a href='{}'>Leave</a><![endif]-->",
    "<!doctype {}>",
    "<?php {} ?>",
    "</ {}>",
    "<style>a{{b:url({})}}</style>",
    "<STYLE type='a>b'>{}</STYLE >",
    "<script>go('{}')</script>",
    "<title>{}</title>",
    "<head><title>t</title><meta content='{}'></head><body>",
    "<template><a href='{}'>Leave</a></template>",
    "<textarea>{}</textarea>",
    "<p hidden>{}</p>",
    '<div style="display:none">{}</div>',
    "<div style='max-height:0;overflow:hidden'><p><span><a href='{}'>Leave</a></span></div>",
    "<span style='visibility: hidden'>{}</span>",
    "<span style='color:#fff;font-size:0px'>{}</span>",
    "<td style='opacity:0.0'>{}</td>",
    "<div style='Display : NONE !important'><div>{}</div></div>",
    "<div style='height:0px;width:1px;overflow:hidden'>{}</div>",
    "<div style='position:absolute; left:-9999px'>{}</div>",
    "<span style='text-indent:-1000em'>{}</span>",
    "<p title='{}'>x</p>",
    "<img alt='{}'>",
    "<a href='{}'></a>",
    "<a href='{}'>&nbsp;</a>",
    "<a href='{}'>&#8203;&zwnj;&emsp;</a>",
    "<a href='{}'> <span style='display:none'>Leave</span> </a>",
    "<link href='{}'>",
    "<a data-href='{}'>Leave</a>",
]
SEEN = [
    "{}",
    "<a href='{}'>Leave</a>",
    "<A HREF = {}>Leave</A>",
    "<a href='{}'><img src='x.png'></a>",
    "<a href='https://t.example/?to={}'>Leave</a>",
    "<td style='font-size:0px'><div style='font-size:13px'>{}</div></td>",
    "<!--[if !mso]><!--><a href='{}'>Leave</a><!--<![endif]-->",
    "<![if !mso]>{}<![endif]>",
    "<div style='display:none'>x</div><p>{}</p>",
    "</style></title></script>{}",
    "<p style='display:none'>x<div>{}</div>",
    "<head><title>x</title><body>{}</body>",
    "<div style='display:block;max-height:100px;opacity:1'>{}</div>",
    "<!--><b>{}</b>",
    "<!-- a --><p>{}</p><!-- b -->",
    "<p title='<!--'>{}</p>",
    "<p title='a>b' hiddens>{}</p>",
]
AROUND = st.sampled_from(["{}", "<html><body><p>Hi</p>{}</body></html>", "<p>Hi</p>{}<p>Bye</p>", "a < b {} c > d"])


@given(st.sampled_from(HIDING), AROUND)
def test_what_nobody_sees_stands_for_no_footer(hiding: str, around: str) -> None:
    html = as_sent(around.format(hiding.format(PLACED)))

    assert html.count(FOOTER) == 1
    assert UNSUBSCRIBE in html_as_text(html)


@given(st.sampled_from(SEEN), AROUND)
def test_what_everybody_sees_does(seen: str, around: str) -> None:
    html = as_sent(around.format(seen.format(PLACED)))

    assert FOOTER not in html
    assert html.replace("%3A", ":").replace("%2F", "/").count(UNSUBSCRIBE) == 1


OPEN_ENDS = [
    "<!-- never closed",
    "<style>.a{}",
    "<style type='x'>.a{}</styl>",
    "<script>a",
    "<title>a",
    '<p title="never closed>x',
    "<div style='display:none'>x",
    "<div style='display:none'><p>x</p>",
    "<!-- </body> -->",
    "<!-- </body></html>",
    "<p>x</p></div></td></span>",
    "<div style='font-size:0'>",
    "<a href",
    "</body",
    "<table><tr><td>x",
]


@given(
    st.lists(st.sampled_from([*OPEN_ENDS[-7:], "<p>Hi</p>", "<b>", "a < b"]), max_size=4), st.sampled_from(OPEN_ENDS)
)
def test_a_footer_can_be_seen_whatever_is_left_open(before: list[str], last: str) -> None:
    html = as_sent("".join(before) + last)

    assert html.count(FOOTER) == 1
    assert UNSUBSCRIBE in html_as_text(html)


@pytest.mark.parametrize(
    "behind", ["<!-- </body> ends above -->", "<!-- x -->\n", "<script>'</body>'</script>", "\n", ""]
)
def test_a_footer_is_the_end_of_the_body_that_counts(behind: str) -> None:
    html = as_sent(f"<html><body><p>Hi</p></body></html>{behind}")

    assert html.startswith(f"<html><body><p>Hi</p>\n{FOOTER}")
    assert html.endswith(f"</div>\n</body></html>{behind}")


@given(st.text(alphabet="<>/!-ab= '\"p\n", max_size=40), st.booleans())
def test_an_email_of_anything_has_a_footer_and_all_of_what_it_had(source: str, body: bool) -> None:
    source = f"<body>{source}</body>" if body else source
    html = as_sent(source)
    at = html.index(f"\n{FOOTER}")
    end = html.index("</div>\n", at) + len("</div>\n")

    assert html[:at] + html[end:] == source
