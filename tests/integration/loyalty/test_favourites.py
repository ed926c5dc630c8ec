"""Favourites through the API: chosen by the staff, by our ids and by the business's own."""

from tests.integration.conftest import Stack

FAVOURITES = "/v1/loyalty/favourites"


def test_a_favourite_is_chosen_and_left_again_any_number_of_times(stack: Stack) -> None:
    made = stack.api("POST", "/v1/customers", {"first_name": "Ana", "last_name": "Silva", "external_id": "crm/1 ä"})
    customer_id = made.body["customer_id"]
    one = {"customer_id": customer_id, "external_id": "crm/1 ä"}

    for path in (f"{FAVOURITES}/{customer_id}", f"{FAVOURITES}/by-external-id/crm%2F1%20%C3%A4"):
        for _ in range(2):
            answer = stack.api("PUT", path)
            assert (answer.status, answer.body) == (200, one)
        for _ in range(2):
            assert stack.api("DELETE", path).status == 204
    assert stack.api("GET", f"/v1/customers/{customer_id}").body["updated_at"] == made.body["updated_at"]


def test_who_is_not_there_cannot_be_chosen(stack: Stack) -> None:
    for method in ("PUT", "DELETE"):
        for path in (f"{FAVOURITES}/{'0' * 32}", f"{FAVOURITES}/by-external-id/nobody"):
            answer = stack.api(method, path)
            assert (answer.status, answer.body["code"], answer.body["resource"]) == (404, "not_found", "customer")
    assert stack.api("GET", f"{FAVOURITES}/{'0' * 32}").status == 405


def test_choosing_takes_the_right_to_write_customers(stack: Stack) -> None:
    assert stack.api("PUT", f"{FAVOURITES}/{'0' * 32}", scopes="customers:read campaigns:write").status == 403
