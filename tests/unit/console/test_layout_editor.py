"""The block editor's form: every layout comes back from it as the same email, and every button does one thing."""

import base64
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.businesses.domain.layout_style import Font, Style, style_options
from rebound.console.http.layouts.form import (
    INPUTS,
    STYLE,
    Block,
    LayoutTyped,
    as_typed,
    new_block,
    read_form,
    style_of,
    typed_layout,
)
from rebound.console.http.layouts.steps import MOST_PACKED, History, done
from rebound.console.http.layouts.text import read_typed, typed_of
from rebound.console.http.requests import Form
from rebound.console.http.words import LANGUAGES, Words
from rebound.kernel.categories import Category
from rebound.kernel.errors import InvalidInputError
from rebound.templates.domain.layout import MAX_BLOCKS, Network
from rebound.templates.domain.layout_as_text import layout_as_text
from rebound.templates.domain.layout_reading import read_layout
from rebound.templates.domain.rendering import VARIABLES, variables_of_bodies
from tests.fakes.layouts import LAYOUTS, PARTS, TEXTS

KNOWN = variables_of_bodies(Category.MARKETING)
SIGNS = st.text(st.sampled_from("ab*[]()\\-1. \n~_"), min_size=1, max_size=25).filter(lambda text: bool(text.strip()))
SPANS = st.lists(
    SIGNS
    | st.fixed_dictionaries(
        {"text": SIGNS},
        optional={
            "bold": st.booleans(),
            "italic": st.booleans(),
            "link": st.sampled_from(["https://a.example/(b)*_*", "https://x.example/"]),
        },
    ),
    min_size=1,
    max_size=4,
)
ODD_PARTS = st.lists(
    st.fixed_dictionaries({"paragraph": SPANS})
    | st.fixed_dictionaries({"list": st.lists(SPANS, min_size=1, max_size=3)}, optional={"ordered": st.booleans()}),
    min_size=1,
    max_size=3,
)


def form_of(typed: LayoutTyped) -> Form:
    """What a browser sends of a layout."""
    sent = {**typed.head, **{f"style.{name}": value for name, value in typed.style.items()}}
    sent |= _sent(typed.blocks, "b")
    return Form({name: [value.replace("\n", "\r\n")] for name, value in sent.items()})


def _sent(blocks: Sequence[Block], at: str) -> dict[str, str]:
    sent: dict[str, str] = {}
    for number, block in enumerate(blocks):
        place = f"{at}.{number}"
        sent |= {f"{place}.kind": block.kind, f"{place}.columns": str(len(block.columns))}
        sent |= {f"{place}.{name}": value for name, value in block.typed.items()}
        for row, (network, link) in enumerate(block.rows if block.kind == "social" else ()):
            sent |= {f"{place}.network.{row}": network, f"{place}.link.{row}": link}
        for column, several in enumerate(block.columns):
            sent |= _sent(several, f"{place}.{column}")
    return sent


def letters(parts: Sequence[Mapping[str, Any]]) -> list[Any]:
    """What parts say, each letter with its form."""

    def of(spans: Sequence[Any]) -> Any:
        whole = [span if isinstance(span, dict) else {"text": span} for span in spans]
        forms = [
            (letter, bool(span.get("bold")), bool(span.get("italic")), span.get("link"))
            for span in whole
            for letter in span["text"]
            if not letter.isspace()
        ]
        return forms, "".join(span["text"] for span in whole).strip()

    return [
        ("paragraph", [of(part["paragraph"])])
        if "paragraph" in part
        else ("ordered" if part.get("ordered") else "list", [of(spans) for spans in part["list"]])
        for part in parts
    ]


def parts_of(block: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    if "parts" in block:
        parts: Sequence[Mapping[str, Any]] = block["parts"]
        return parts
    paragraphs = re.split(r"\n[ \t]*(?:\n[ \t]*)+", block["text"])
    return [{"paragraph": [each.strip("\n")]} for each in paragraphs if each.strip()]


@given(SIGNS | TEXTS)
def test_a_plain_text_stays_as_it_is_whatever_signs_it_has(text: str) -> None:
    assert read_typed(typed_of({"text": text})) == {"text": text}


@given(ODD_PARTS | PARTS)
def test_a_text_with_forms_says_the_same_after_it_was_in_the_box(parts: list[Any]) -> None:
    typed = typed_of({"parts": parts})
    assert letters(parts_of(read_typed(typed))) == letters(parts)


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("a **b** c", [{"paragraph": ["a ", {"text": "b", "bold": True}, " c"]}]),
        (
            "[a *b*](https://x.example)",
            [
                {
                    "paragraph": [
                        {"text": "a ", "link": "https://x.example"},
                        {"text": "b", "link": "https://x.example", "italic": True},
                    ]
                }
            ],
        ),
        ("Two:\n- Yin\n- Yang\n  and more", [{"paragraph": ["Two:"]}, {"list": [["Yin"], ["Yang\nand more"]]}]),
        ("1. a\n2. b\n\n- c", [{"list": [["a"], ["b"]], "ordered": True}, {"list": [["c"]]}]),
    ],
)
def test_what_people_type_becomes_what_it_says(typed: str, parts: list[Any]) -> None:
    assert read_typed(typed) == {"parts": parts}


def test_spans_of_one_form_side_by_side_are_not_read_together_with_their_signs() -> None:
    bold = [{"text": "a", "bold": True}, {"text": "b", "bold": True}]
    assert read_typed(typed_of({"parts": [{"paragraph": bold}]})) == {
        "parts": [{"paragraph": [{"text": "ab", "bold": True}]}]
    }


@pytest.mark.parametrize("typed", ["2 * 3 * 4", "**open", "[no link]", "a_b_c", "-5 degrees", r"C:\x", "3.5 m"])
def test_a_sign_that_says_nothing_is_a_letter(typed: str) -> None:
    assert read_typed(typed) == {"text": typed}


@given(LAYOUTS)
def test_every_layout_comes_back_from_the_form_as_the_same_email(layout: dict[str, Any]) -> None:
    typed = typed_layout(layout)
    document = read_form(form_of(typed)).document()
    before, after = read_layout(layout, KNOWN, VARIABLES), read_layout(document, KNOWN, VARIABLES)
    assert re.sub(r"\s+", " ", layout_as_text(after)) == re.sub(r"\s+", " ", layout_as_text(before))
    assert (after.style, after.language) == (before.style, before.language)
    # A second time nothing changes any more.
    assert read_form(form_of(typed_layout(document))).document() == document


def test_what_is_no_number_goes_to_the_domain_as_it_was_typed() -> None:
    typed = LayoutTyped(blocks=[Block("spacer", {"height": "tall"}), Block("divider", {"thickness": "2"})])
    assert [each.document() for each in typed.blocks] == [
        {"kind": "spacer", "height": "tall"},
        {"kind": "divider", "thickness": 2},
    ]


@pytest.mark.parametrize("kind", INPUTS)
def test_each_input_of_a_block_reaches_the_domain(kind: str) -> None:
    """Filled in wrongly, each is told of, beside itself."""
    block = new_block(kind)
    for each in block.inputs:
        block.typed[each.name] = "\x07" if each.kind in ("line", "text", "markup", "address") else "nonsense"
    block.links = [("nowhere", "no address")] if kind == "social" else []
    typed = LayoutTyped(blocks=[block])
    with pytest.raises(InvalidInputError) as refused:
        read_layout(typed.document(), KNOWN, VARIABLES)
    for error in refused.value.errors:
        typed.tell(error.field, error.message)
    names = {each.name for each in block.inputs} | ({"links.0"} if kind == "social" else set())
    told = {name for _, each in typed.placed() for name in each.wrong}
    assert (names - told, typed.wrong) == (set(), {})


def test_an_error_in_a_column_stands_at_its_block() -> None:
    typed = typed_layout(
        {"blocks": [{"kind": "columns", "columns": [{"blocks": [{"kind": "text"}, {"kind": "text"}]}]}]}
    )
    typed.tell("blocks[0].columns[0].blocks[1].parts[0].paragraph[2].link", "Wrong.")
    typed.tell("blocks[0].columns[0].blocks", "Empty.")
    typed.tell("blocks[7].text", "Nowhere.")
    assert typed.blocks[0].columns[0][1].wrong == {"text": ["Wrong."]}
    assert typed.blocks[0].wrong == {"": ["Empty."]}
    assert typed.wrong == {"text": ["Nowhere."]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_and_input_has_words(language: str) -> None:
    words = Words(language)
    needed = {f"layouts.kind.{kind}" for kind in INPUTS} | {f"layouts.styles.{each.name}" for each in STYLE}
    for inputs in INPUTS.values():
        needed |= {f"layouts.fields.{each.name}" for each in inputs}
        needed |= {f"layouts.choices.{choice}" for each in inputs for choice in each.choices}
    assert [name for name in sorted(needed) if not words.has(name)] == []


def test_a_style_is_read_whole_and_all_of_it_can_be_filled_in() -> None:
    typed = {each.name: each.usual or "#010203" for each in STYLE}
    typed |= {"font": "Georgia", "web_font.name": "Lato", "web_font.stylesheet": "https://fonts.example.com/css"}
    assert set(style_options(style_of(typed), "style")) == set(Style.__struct_fields__)
    assert Font.GEORGIA in STYLE[0].choices


def layout(*says: Any) -> LayoutTyped:
    """Headings that say something, and columns of them."""

    def block(said: Any) -> Block:
        if isinstance(said, str):
            return Block("heading", {"text": said})
        return Block("columns", columns=[[block(each) for each in column] for column in said])

    return LayoutTyped(blocks=[block(each) for each in says])


def says(typed: LayoutTyped) -> list[Any]:
    return [
        [[inner.typed["text"] for inner in column] for column in each.columns] if each.columns else each.typed["text"]
        for each in typed.blocks
    ]


@pytest.mark.parametrize(
    ("what", "after", "focus"),
    [
        ("up:b.1", ["b", "a", [["c", "d"], ["e"]], "f"], "b.0.up"),
        ("down:b.0", ["b", "a", [["c", "d"], ["e"]], "f"], "b.1.down"),
        ("down:b.1", ["a", [["b", "c", "d"], ["e"]], "f"], "b.1.0.0.down"),
        ("up:b.3", ["a", "b", [["c", "d"], ["e", "f"]]], "b.2.1.1.up"),
        ("up:b.2", ["a", [["c", "d"], ["e"]], "b", "f"], "b.1.up"),
        ("up:b.2.0.0", ["a", "b", "c", [["d"], ["e"]], "f"], "b.2.up"),
        ("down:b.2.0.1", ["a", "b", [["c"], ["d", "e"]], "f"], "b.2.1.0.down"),
        ("up:b.2.1.0", ["a", "b", [["c", "d", "e"], []], "f"], "b.2.0.2.up"),
        ("down:b.2.1.0", ["a", "b", [["c", "d"], []], "e", "f"], "b.3.down"),
        ("copy:b.2.0.0", ["a", "b", [["c", "c", "d"], ["e"]], "f"], "b.2.0.1.copy"),
        ("remove:b.3", ["a", "b", [["c", "d"], ["e"]]], "b.2.remove"),
        ("remove:b.2.1.0", ["a", "b", [["c", "d"], []], "f"], "b.2.1.new"),
        ("uncolumn:b.2.0", ["a", "b", [["e"]], "f"], "b.2.column"),
        ("place:b.0:b.2.1.1", ["b", [["c", "d"], ["e", "a"]], "f"], "b.1.1.1.drag"),
        ("place:b.2.0.1:b.0", ["d", "a", "b", [["c"], ["e"]], "f"], "b.0.drag"),
        ("place:b.0:b.4", ["b", [["c", "d"], ["e"]], "f", "a"], "b.3.drag"),
    ],
)
def test_a_button_does_one_thing_and_says_where_one_goes_on(what: str, after: list[Any], focus: str) -> None:
    typed = layout("a", "b", [["c", "d"], ["e"]], "f")
    did = done(typed, what, Form())
    assert did is not None
    assert (says(typed), did.focus) == (after, focus)


@pytest.mark.parametrize(
    "what",
    ["up:b.0", "down:b.3", "up:b.9", "up:b", "up:b.x", "up:c.0", "up:b.2.5.0", "up:b.-1", "up:b." + "9" * 5000,
     "place:b.0:b." + "9" * 5000, "place:b.2:b.2.0.0",
     "place:b.0:b.9.0.0", "place:b.0:b.x", "uncolumn:b.0.0", "column:b.0", "add:b.9.0", "", "explode:b.0", "add:b"],
)  # fmt: skip
def test_what_cannot_be_done_changes_nothing(what: str) -> None:
    typed = layout("a", "b", [["c", "d"], ["e"]], "f")
    assert done(typed, what, Form({"b.new": ["nothing"]})) is None
    assert says(typed) == ["a", "b", [["c", "d"], ["e"]], "f"]


def test_down_reaches_every_place_and_up_is_the_way_back() -> None:
    typed = layout("a", [["b"], ["c"]], [["d"]], "e")
    place = "b.0"
    went: dict[str, list[Any]] = {"down": [], "up": []}
    for way, states in went.items():
        states.append(says(typed))
        while (did := done(typed, f"{way}:{place}", Form())) is not None:
            states.append(says(typed))
            place = did.focus.removesuffix(f".{way}")
    assert went["up"] == went["down"][::-1]
    assert len(went["down"]) == 10


@pytest.mark.parametrize("kind", INPUTS)
def test_every_kind_is_added_to_the_list_and_to_a_column_but_columns(kind: str) -> None:
    typed = layout([["c"]])
    did = done(typed, "add:b", Form({"b.new": [kind]}))
    assert did is not None
    assert typed.blocks[1].kind == kind
    did = done(typed, "add:b.0.0", Form({"b.0.0.new": [kind]}))
    assert [each.kind for each in typed.blocks[0].columns[0]] == (
        ["heading"] if kind == "columns" else ["heading", kind]
    )


def test_there_are_not_more_blocks_than_an_email_may_have() -> None:
    typed = layout(*["a"] * MAX_BLOCKS)
    for what in ("add:b", "copy:b.3"):
        did = done(typed, what, Form({"b.new": ["text"]}))
        assert did is not None
        assert did.words == "layouts.full"
    assert len(typed.blocks) == MAX_BLOCKS


def test_undo_goes_back_over_what_was_typed_and_what_was_done_and_redo_forward() -> None:
    typed = layout("a")
    packed = History(typed.document()).packed()
    typed.blocks[0].typed["text"] = "b"
    history = History.of(packed, typed)
    done(typed, "copy:b.0", Form())
    history.step(typed)
    packed = history.packed()
    history = History.of(packed, typed)
    went = []
    for go in (history.undo, history.undo, history.undo, history.redo, history.redo, history.redo):
        state = go()
        went.append(None if state is None else says(state))
    assert went == [["b"], ["a"], None, ["b"], ["b", "b"], None]


def test_a_new_step_forgets_what_was_undone() -> None:
    history = History(layout("a").document())
    history.step(layout("b"))
    history.undo()
    history.step(layout("c"))
    assert (history.redo(), says(history.undo() or layout())) == (None, ["a"])


def test_the_oldest_states_go_where_there_is_no_room() -> None:
    history = History(layout("0").document())
    for number in range(200):
        history.step(layout(*(f"{number * 7919 + each * 104729:x}" * 20 for each in range(60))))
    packed = history.packed()
    assert 0 < len(packed) <= MOST_PACKED
    again = History.of(packed, typed_layout(history.now))
    assert again.before
    assert again.before == history.before


@pytest.mark.parametrize("packed", ["", "x", "eJw=", "eJyrVsrLL1eyqlZKSk3LL0pVslIqS8wpTVWqBQBYtgfd", "AAAA" * 99])
def test_a_history_that_is_none_is_forgotten(packed: str) -> None:
    typed = layout("a")
    history = History.of(packed, typed)
    assert (history.before, history.after, history.now) == ([], [], typed.document())


def test_a_history_of_something_else_is_forgotten() -> None:
    given: tuple[dict[str, Any], ...] = (
        {"blocks": 3},
        {"blocks": [{"kind": "bomb"}]},
        {"blocks": [[]]},
        {"blocks": [{"kind": "text", "parts": 1}]},
    )
    for now in given:
        assert History.of(History(now).packed(), layout("a")).before == []


@pytest.mark.parametrize("depth", [1, 900, 100_000])
def test_a_history_deeper_than_columns_are_is_forgotten(depth: int) -> None:
    column = '{"kind":"columns","columns":[{"blocks":['
    deep = f'{column * depth}{column}{{"kind":"text","parts":[]}}{"]}]}" * depth}]}}]}}'
    packed = base64.b64encode(
        zlib.compress(f'{{"now":{{"blocks":[{deep}]}},"before":[],"after":[]}}'.encode())
    ).decode()
    typed = layout("a")
    assert History.of(packed, typed).now == typed.document()
    assert History.of(packed, typed).before == []


def test_all_networks_can_be_chosen() -> None:
    rows = [{"network": str(each), "link": "https://x.example"} for each in Network][:10]
    typed = typed_layout({"blocks": [{"kind": "social", "links": rows}]})
    assert read_form(form_of(typed)).document()["blocks"][0]["links"] == rows


def test_a_line_break_is_the_domains() -> None:
    assert as_typed(Form({"x": [" a\r\nb "]}), "x") == " a\nb "
