"""What of a browser's cookies is believed."""

from hypothesis import given
from hypothesis import strategies as st

from rebound.console.http.requests import Form, PageRequest

PAIRS = st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz=", max_size=3)), max_size=6)


@given(PAIRS, st.sampled_from([";", "; ", " ; "]))
def test_a_name_with_one_value_has_it_and_one_with_several_has_none(pairs: list[tuple[str, str]], between: str) -> None:
    sent = between.join(f"{name}={value}" for name, value in pairs)
    found = PageRequest("GET", ["customers"], "./", Form(), Form(), {"cookie": sent}).cookies

    assert found == {name: value for name, value in pairs if {other for own, other in pairs if own == name} == {value}}
