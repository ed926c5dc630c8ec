"""Importing goes on where it stopped, makes no customer twice, and its counts add up."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.application.ports import ImportJob
from rebound.domain.provider_codes import Provider
from rebound.domain.reachability import Failure
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, contact_key
from tests.fakes.watching import WorkerDiedError
from tests.fakes.world import World, always


def start(world: World, rows: list[dict[str, Any]]) -> str:
    content = "\n".join(json.dumps(row) for row in rows)
    return world.start_import(BUSINESS_ID, "jsonl", content)[0].import_id


def add_up(job: ImportJob) -> bool:
    return job.rows == job.created + job.updated + job.unchanged + job.failed


rows = st.lists(
    st.fixed_dictionaries(
        {"first_name": st.sampled_from(["Ana", "Bea", ""]), "last_name": st.just("Silva")},
        optional={
            "external_id": st.sampled_from(["A", "B", "C"]),
            "email": st.sampled_from(["ana1@example.com", "family@example.com", "nonsense", None]),
        },
    ),
    max_size=60,
)


@given(rows, st.integers(1, 40))
def test_an_import_that_dies_anywhere_ends_as_one_that_did_not(given_rows: list[dict[str, Any]], death: int) -> None:
    whole, broken = World(), World()
    job_id = start(whole, given_rows)
    assert whole.import_customers(BUSINESS_ID, job_id, always)
    left = death

    def die_sometime(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise WorkerDiedError

    other_id = start(broken, given_rows)
    broken.checkpoint = die_sometime
    try:
        broken.import_customers(BUSINESS_ID, other_id, always)
    except WorkerDiedError:
        assert broken.import_customers(BUSINESS_ID, other_id, always)
    job = broken.imports.get(BUSINESS_ID, other_id)

    assert (job.status, job.rows, job.failed) == (
        "completed",
        len(given_rows),
        whole.imports.get(BUSINESS_ID, job_id).failed,
    )
    assert add_up(job)
    assert add_up(whole.imports.get(BUSINESS_ID, job_id))
    assert {k: (c.first_name, c.email) for k, c in broken.customers.rows.items()} == {
        k: (c.first_name, c.email) for k, c in whole.customers.rows.items()
    }


def test_importing_the_same_list_again_clears_no_flag_and_a_new_address_starts_clean() -> None:
    world = World()
    ana = {"external_id": "A", "first_name": "Ana", "last_name": "Silva", "email": "ana1@example.com"}
    world.import_customers(BUSINESS_ID, start(world, [ana]), always)
    world.know(contact_key(1), Failure(at(-1), "m", Provider.SES, NO_SUCH_MAILBOX))
    world.pump_streams()
    world.import_customers(BUSINESS_ID, start(world, [{**ana, "first_name": "Bea"}]), always)
    (again,) = world.customers.rows.values()
    world.import_customers(BUSINESS_ID, start(world, [{**ana, "email": "new@example.com"}]), always)
    (moved,) = world.customers.rows.values()

    assert (again.first_name, again.failed_email) == ("Bea", True)
    assert (moved.email, moved.failed_email) == ("new@example.com", False)


def test_an_import_that_ran_out_of_time_goes_on_behind_the_rows_that_are_done() -> None:
    world = World()
    people = [{"first_name": f"N{n}", "last_name": "Silva"} for n in range(60)]
    job_id = start(world, people)
    looks = iter([True])

    assert not world.import_customers(BUSINESS_ID, job_id, lambda: next(looks, False))
    assert 0 < world.imports.get(BUSINESS_ID, job_id).rows < 60
    assert world.import_customers(BUSINESS_ID, job_id, always)
    done = world.imports.get(BUSINESS_ID, job_id)
    assert (done.rows, done.created, len(world.customers.rows)) == (60, 60, 60)


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_an_import_that_has_ended_is_not_run_again(status: str) -> None:
    world = World()
    world.imports.save(ImportJob(BUSINESS_ID, "i1", "csv", status, created_at=at(0)))

    assert world.import_customers(BUSINESS_ID, "i1", always)
    assert world.customers.rows == {}
