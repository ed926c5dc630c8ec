"""How large a sequence may be, and what is known of it to hear."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json

from rebound.kernel.errors import InvalidInputError, NotFoundError
from rebound.sequences.domain.documents import written_definition
from rebound.sequences.domain.happenings import Happened, Happening, Kind
from rebound.sequences.domain.sequences import MOST_BYTES, Definition
from rebound.sequences.domain.steps import Send
from rebound.templates.domain.content import EmailContent
from tests.fakes.making import BUSINESS_ID, at, business
from tests.unit.sequences.worlds import (
    DAY,
    SEQUENCE_ID,
    SequenceWorld,
    definition_of,
    send,
    steps,
    tagged,
    wait,
)


def saying(html: str) -> Send:
    return send("x", content=EmailContent("Hello", f"<p>{html}</p>", None))


def size(definition: Definition) -> int:
    return len(json.encode(written_definition(definition)))


@settings(max_examples=20, deadline=None)
@given(over=st.integers(-3, 3), letter=st.sampled_from(["x", "ü", "漢"]))
def test_what_fits_a_row_is_kept_and_what_does_not_is_refused_by_its_field(over: int, letter: str) -> None:
    world = SequenceWorld(business())
    some = [saying(letter * (80_000 // len(letter.encode()))) for _ in range(4)]
    missing = MOST_BYTES + over - size(definition_of(*some, saying("")))
    actions = [*some, saying("x" * missing)]
    length = size(definition_of(*actions))
    assert length == MOST_BYTES + over

    if over <= 0:
        assert world.set_up(*actions).definition.sends == [str(each + 1) for each in range(len(actions))]
        return
    with pytest.raises(InvalidInputError) as refused:
        world.set_up(*actions)
    [error] = refused.value.errors
    assert error.field == "steps"
    assert re.findall(r"\d+", error.message) == [str(length), str(MOST_BYTES)]
    with pytest.raises(NotFoundError):
        world.sequences.get(BUSINESS_ID, SEQUENCE_ID)


BOOKED = Happening(kind=Kind.BOOKING, about={"class_id": "yoga"})


def test_an_outline_is_small_and_hears_what_the_whole_hears() -> None:
    whole = definition_of(
        saying("x" * 100_000),
        tagged("x" * 10_000, steps(saying("y" * 100_000), wait(DAY, for_event=BOOKED))),
        trigger=Happening(kind=Kind.VISIT),
    )
    about: tuple[dict[str, str], ...] = ({"class_id": "yoga"}, {"class_id": "boxing"}, {})
    happened = [Happened(kind=kind, key="k", at=at(), about=each) for kind in Kind for each in about]

    assert size(whole.outline) < 1_000
    assert [whole.outline.hears(each) for each in happened] == [whole.hears(each) for each in happened]
    assert any(map(whole.hears, happened))
    assert list(whole.outline.program.steps) == list(whole.program.steps)
