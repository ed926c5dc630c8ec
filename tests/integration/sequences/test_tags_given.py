"""A tag that a sequence gives, with what the function may do."""

from tests.fakes import house
from tests.fakes.making import contacts_of, customer, id_of
from tests.integration.conftest import Stack
from tests.integration.sequences.test_sequences import PATH, WELCOME, goes_on
from tests.integration.sequences.test_step_results import begin


def test_a_tag_is_given_with_what_the_function_may_do(stack: Stack) -> None:
    made = customer(1)
    house.ports().customers.save([made], contacts_of(made))
    given = {**WELCOME, "steps": [{"tag": {"add": "thanked"}}, {"wait": {"days": 1}}], "filter": None}
    stack.api("PUT", PATH, given)
    begin(stack, 1)
    goes_on(stack)

    assert "thanked" in stack.api("GET", f"/v1/customers/{id_of(1)}").body["general_tags"]
