"""A footer stands where a recipient sees it, and only what a recipient sees stands for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.categories import Category
from rebound.templates.domain.content import EmailContent
from rebound.templates.domain.footers import LINKS
from rebound.templates.domain.html_as_text import html_as_text
from rebound.templates.domain.rendering import VARIABLES, check_content, render_email

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
    "<a href='{}' style='/*x*/display:none'>Leave</a>",
    "<a href='{}' style='display/**/:/**/none/**/'>Leave</a>",
    "<a href='{}' style='DISPLAY : NONE ! important'>Leave</a>",
    "<a href='{}' style='display:none!important;display:block'>Leave</a>",
    "<a href='{}' style='background:url(data:image/png;base64,xx);display:none'>Leave</a>",
    "<a href='{}' style='d\\69splay:none'>Leave</a>",
    "<a href='{}' style='display&#58;none'>Leave</a>",
    "<a href='{}' style='visibility:hidden'>Leave</a>",
    "<a href='{}' style='font:0/0 a'>Leave</a>",
    "<a href='{}' style='font-size:0'><b style='font-size:1.2em'>Leave</b></a>",
    "<a href='{}' hidden>Leave</a>",
    "<a href='{}'><img src='x.png' style='display:none'></a>",
    "<a href='{}'><img src='x.png' hidden></a>",
    "<a href='{}'><img src='x.png' width=0></a>",
    "<a href='{}'><img src='x.png' width='1' height='1'></a>",
    "<a href='{}' style='position:absolute;clip:rect(0 0 0 0)'>Leave</a>",
    "<a href='{}' style='transform:scale(0)'>Leave</a>",
    "<style>.x{{display:none}}</style><a class='x' href='{}'>Leave</a>",
    "<a class='a X' href='{}'>Leave</a><style><!-- p, .b, .x {{ color:red; DISPLAY:none }} --></style>",
    "<style>#x{{visibility:hidden}}</style><p id=x><a href='{}'>Leave</a></p>",
    "<style>a{{font-size:0}}</style><a href='{}'>Leave</a>",
    "<style>/* a */ a.x {{ /* b */ opacity:0 }}</style><a class=x href='{}'>Leave</a>",
    "<style>.x img{{display:none}}</style><p class=x><a href='{}'><img src='x.png'></a></p>",
    "<style>@media screen{{.x{{display:none}}}}</style><a class=x href='{}'>Leave</a>",
    "<style>@import 'x.css';@font-face{{a:b}}.x{{display:none}}</style><a class=x href='{}'>Leave</a>",
    "<style>.x{{display:none!important}}</style><a class=x style='display:inline' href='{}'>Leave</a>",
    "<style>.x{{display:block}}.x{{display:none}}</style><a class=x href='{}'>Leave</a>",
    "<style>a.x{{display:none}}.x{{display:block}}</style><a class=x href='{}'>Leave</a>",
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
    "<td style='font-size:0'><a href='{}'><img src='x.png' width=100></a></td>",
    "<a href='{}' style='/*display:none*/color:red'>Leave</a>",
    "<a href='{}' style='font:700 13px/1.6 Arial'>Leave</a>",
    "<a href='{}' style='display:none;display:inline'>Leave</a>",
    "<a href='{}'><img src='x.png' width=1 height=40></a>",
    "<style>.x{{display:none}}</style><a class='xx' href='{}'>Leave</a>",
    "<style>.x{{display:none}}</style><a class=x style='display:inline' href='{}'>Leave</a>",
    "<style>.x{{display:none}}.x{{display:block}}</style><a class=x href='{}'>Leave</a>",
    "<style>p.x{{display:none}}</style><a class=x href='{}'>Leave</a>",
    "<style>/* .x{{display:none}} */</style><a class=x href='{}'>Leave</a>",
    "<style>@media (max-width:600px){{.x{{display:none}}}}</style><a class=x href='{}'>Leave</a>",
    "<style media=print>.x{{display:none}}</style><a class=x href='{}'>Leave</a>",
    "<style>a:hover,a:visited{{display:none}}</style><a href='{}'>Leave</a>",
    "<style>.y .x{{display:none}}</style><p class=y>a</p><a class=x href='{}'>Leave</a>",
    "<style>{{}}}}.a{{color:red}}@media{{</style><a class=x href='{}'>Leave</a>",
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
HIDING_DECLARATIONS = [
    *("display:none", "visibility:hidden", "visibility:collapse", "font-size:0", "font-size:0px", "opacity:0"),
    *("opacity:0.00", "opacity:0%", "font:0/0 a", "font:bold 0px Arial", "max-height:0", "left:-9999px"),
    *("clip-path:inset(50%)", "content-visibility:hidden", "transform:translate(1px) scale(0,1)"),
]
OTHER_DECLARATIONS = [
    *("display:block", "visibility:visible", "font-size:10px", "opacity:1", "opacity:.9", "font:12px/0 a", "left:-1px"),
    *("color:#fff", "background:none", "max-height:10px", "clip:auto", "transform:scale(0.9)", "x-display:none"),
    *("content:'display:none'", "background:url(display:none)", "display-outside:none"),
]
NOTHING = st.sampled_from(["", " ", "\n", "/**/", "/* a:b; */", "\t"])


@st.composite
def styled(draw: st.DrawFn, declarations: list[str]) -> str:
    """A link that has the declaration, written somehow, by a style of its own or by a sheet."""
    name, _, value = draw(st.sampled_from(declarations)).partition(":")
    name = draw(st.sampled_from([str.upper, str.lower, str.title]))(name)
    gap = [draw(NOTHING) for _ in range(5)]
    important = draw(st.sampled_from(["", "!important", " ! IMPORTANT "]))
    style = f"{gap[0]}color:red;{gap[1]}{name}{gap[2]}:{gap[3]}{value}{important}{gap[4]}"
    where = draw(st.sampled_from(["own", "outer", "sheet", "sheet for what is around"]))
    if where == "own":
        return f"<a href='{{}}' style=\"{style}\">Leave</a>"
    if where == "outer":
        return f"<div style=\"{style}\"><b><a href='{{}}'>Leave</a></b></div>"
    about = "a" if where == "sheet" else "section"
    selector = draw(st.sampled_from([".x", f"{about}.x", "#y", f"{about}#y", about, ".x.z", f"body .x, p, {about}.z"]))
    others = draw(st.sampled_from(["", "p { margin: 0 }", "@media print { a { color: blue } }", "a:hover{top:0}"]))
    sheet = f"<style>{others}{gap[0]}{selector}{gap[1]}{{{style}}}</style>"
    has = "class='z x' id=y"
    link = f"<a href='{{}}' {has}>Leave</a>" if about == "a" else f"<section {has}><a href='{{}}'>Leave</a></section>"
    return draw(st.sampled_from([f"<body>{sheet}{link}", f"<body>{link}{sheet}"]))


@given(styled(HIDING_DECLARATIONS))
def test_a_link_that_any_style_hides_stands_for_no_footer(template: str) -> None:
    html = as_sent(template.replace("{}", PLACED))

    assert html.count(FOOTER) == 1
    assert UNSUBSCRIBE in html_as_text(html)


@given(styled(OTHER_DECLARATIONS))
def test_a_link_that_a_style_does_not_hide_is_enough(template: str) -> None:
    assert FOOTER not in as_sent(template.replace("{}", PLACED))


def test_no_style_sheet_keeps_anybody_waiting() -> None:
    for sheet in ("{", "}", "a{", "@media{", "/*", ".a ", "a{b:(", 'a{b:"', "a{display:none}", ".a .b,", "\\\\", "a;"):
        as_sent(
            f"<style>{sheet * (60_000 // len(sheet))}</style><p class='a b'><a href='{PLACED}'>x</a></p>" + "<b>" * 2000
        )


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
    # Once, or as the words of the link that it is made where it stands in a text.
    pressed = f'<a href="{UNSUBSCRIBE}">{UNSUBSCRIBE}</a>'
    assert html.replace("%3A", ":").replace("%2F", "/").replace(pressed, UNSUBSCRIBE).count(UNSUBSCRIBE) == 1


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
