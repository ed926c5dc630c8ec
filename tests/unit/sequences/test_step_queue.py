"""What the queue of sequences carries comes out as it went in."""

from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from rebound.sequences.adapters.step_queue import decode_steps, encode_steps
from rebound.sequences.domain.happenings import Happened, Kind
from rebound.sequences.domain.tasks import HearTask, StepTask, Told
from tests.fakes.making import BUSINESS_ID, NOON, at, id_of

HAPPENED = st.builds(
    Happened,
    kind=st.sampled_from(Kind),
    key=st.text(min_size=1, max_size=200),
    at=st.integers(0, 10**6).map(at),
    about=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=3) | st.just(MappingProxyType({})),
    due_at=st.none() | st.integers(0, 10**6).map(at),
    is_withdrawn=st.booleans(),
    starts=st.booleans(),
)
TOLD = st.builds(Told, st.integers(0, 9).map(id_of), HAPPENED, st.lists(st.text(max_size=32), max_size=3).map(tuple))


@given(st.lists(TOLD, max_size=5))
def test_what_happened(told: list[Told]) -> None:
    task = HearTask(BUSINESS_ID, tuple(told))

    assert decode_steps(encode_steps(task)) == task


def test_who_is_due() -> None:
    task = StepTask(BUSINESS_ID, "welcome", (id_of(1), id_of(2)), "batch", NOON.replace(microsecond=7))

    assert decode_steps(encode_steps(task)) == task
