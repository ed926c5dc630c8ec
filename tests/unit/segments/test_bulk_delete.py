"""A clean-up deletes exactly those who were counted, confirmed and still match, whatever dies or runs twice."""

from collections import Counter
from copy import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rebound.consent.domain.consent import ConsentEvidence
from rebound.contacts.domain.reachability import Failure
from rebound.jobs.application.job_service import JobView
from rebound.jobs.domain import JobStatus
from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import ConsentSource, Scope
from rebound.kernel.errors import ConcurrentChangeError, ConflictError, InvalidInputError, NotFoundError
from rebound.kernel.provider_codes import Provider
from rebound.segments.application.bulk_delete import ATTEMPTS, BATCH
from rebound.segments.domain.selections import CustomerFilter
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX, at, contact_key, customer, id_of
from tests.fakes.watching import Turns, WorkerDiedError
from tests.fakes.world import Chaos, World, always

STOP = ConsentEvidence(at(1), Scope.ALL, opted_out=True, source=ConsentSource.PROVIDER, message_id="m1")
BOUNCE = Failure(at(1), "m1", Provider.SES, NO_SUCH_MAILBOX)
VIPS = CustomerFilter(tag="vip")
OLD = {"general_tags": ("old",)}


def salon(people: int = 90, ranges: int = 4, seed: int = 0) -> World:
    """Every third customer is a VIP; some share an address, some have said STOP."""
    world = World(ranges=ranges, seed=seed)
    for number in range(1, people + 1):
        shared = {"mobile_phone": "+14155559999"} if number % 10 == 0 else {}
        world.add(customer(number, general_tags=("vip",) if number % 3 == 0 else (), **shared))
        if number % 6 == 0:
            world.know(contact_key(number), STOP)
    return world


def vips(people: int = 90) -> list[int]:
    return [number for number in range(1, people + 1) if number % 3 == 0]


def clean_up(world: World, count: int, wanted: CustomerFilter = VIPS, ids: list[str] | None = None) -> JobView:
    return world.bulk_delete(BUSINESS_ID, wanted, ids, count)


def freeze(world: World, count: int, wanted: CustomerFilter = VIPS, ids: list[str] | None = None) -> JobView:
    """A clean-up whose count is over and whose deletion has not begun."""
    job = clean_up(world, count, wanted, ids)
    for index in world.run_job.advance(BUSINESS_ID, job.job.job_id):
        assert world.run_job.work(BUSINESS_ID, job.job.job_id, index, always)
    world.run_job.advance(BUSINESS_ID, job.job.job_id)
    return world.job_service.get(BUSINESS_ID, job.job.job_id)


def outcome(view: JobView) -> dict[str, int]:
    """What the second phase came to."""
    return {label: count for label, count in view.counts[1].items() if count}


def numbers(world: World) -> set[str]:
    return {customer_id for _, customer_id in world.customers.rows}


def check_links(world: World) -> None:
    """Contacts and customers list each other, and no address is kept that nobody uses."""
    listed = {(key, id_) for key, contact in world.contacts.rows.items() for id_ in contact.customer_ids}
    used = {(key, c.customer_id) for c in world.customers.rows.values() for key in c.all_contact_keys}
    assert listed == used
    assert all(contact.is_used for contact in world.contacts.rows.values())


def test_the_right_number_deletes_exactly_those_who_match() -> None:
    world = salon()
    view = world.run_to_end(clean_up(world, 30))

    assert (view.job.status, view.job.reason) == (JobStatus.COMPLETED, None)
    assert outcome(view) == {"deleted": 30}
    assert view.job.ended_at is not None
    assert numbers(world) == {id_of(number) for number in range(1, 91) if number % 3}
    check_links(world)
    assert set(world.contacts.hashed) == {contact_key(number).hashed for number in vips() if number % 6 == 0}


@given(st.sets(st.integers(1, 12)), st.sets(st.integers(1, 12)), st.integers(1, 5))
def test_a_marked_clean_up_takes_those_who_were_counted_and_no_others(
    counted: set[int], then: set[int], ranges: int
) -> None:
    world = World(ranges=ranges)
    for number in range(1, 13):
        world.add(customer(number, general_tags=("vip",) if number in counted else ()))
    found = world.count_customers.counted(BUSINESS_ID, VIPS, 0)
    assert found is not None
    for number in counted ^ then:
        world.customer_service.change(
            BUSINESS_ID, id_of(number), {"general_tags": ["vip"] if number in then else ["old"]}
        )
    before = numbers(world)
    view = world.run_to_end(world.bulk_delete(BUSINESS_ID, VIPS, None, len(counted), mark=found.mark))

    gone = before - numbers(world)
    assert gone == ({id_of(number) for number in counted} if counted == then else set())
    assert (view.job.status is JobStatus.REFUSED) is (counted != then)


@pytest.mark.parametrize("count", [0, 29, 31])
def test_another_number_deletes_nobody_and_says_how_many_there_are(count: int) -> None:
    world = salon()
    before = dict(world.customers.rows)
    view = world.run_to_end(clean_up(world, count))

    assert view.job.status is JobStatus.REFUSED
    assert "30 customers match now" in str(view.job.reason)
    assert world.customers.rows == before
    with pytest.raises(ConflictError):
        world.job_service.resume(BUSINESS_ID, view.job.job_id)


def test_who_is_edited_moves_away_or_goes_between_count_and_deletion_is_spared_and_named() -> None:
    world = salon()
    job = freeze(world, 30)
    assert job.job.status is JobStatus.RUNNING
    world.customer_service.change(BUSINESS_ID, id_of(3), {"last_name": "Souza"})
    world.customer_service.change(BUSINESS_ID, id_of(9), {"general_tags": []})
    world.customer_service.delete(BUSINESS_ID, id_of(12))
    world.customer_service.change(BUSINESS_ID, id_of(1), {"general_tags": ["vip"]})
    view = world.run_to_end(job)

    assert outcome(view) == {"deleted": 27, "skipped:changed": 2, "skipped:gone": 1}
    assert {(one.customer_id, one.reason) for one in view.spared} == {
        (id_of(3), "changed"), (id_of(9), "changed"), (id_of(12), "gone"),
    }  # fmt: skip
    assert {id_of(1), id_of(3), id_of(9)} <= numbers(world)
    check_links(world)


def test_who_is_deleted_and_comes_back_between_is_spared() -> None:
    world = World()
    given = {"first_name": "Ana", "last_name": "Silva", "email": "a@example.com", "general_tags": ["vip"]}
    customer_id = world.customer_service.create(BUSINESS_ID, {**given, "external_id": "A-1"}).customer.customer_id
    job = freeze(world, 1)
    world.customer_service.delete(BUSINESS_ID, customer_id)
    world.clock.move(at(1) - at(0))
    world.customer_service.create(BUSINESS_ID, {**given, "external_id": "A-1"})

    assert outcome(world.run_to_end(job)) == {"skipped:changed": 1}
    assert numbers(world) == {customer_id}


def test_an_address_that_was_delivered_to_a_moment_ago_saves_its_customers() -> None:
    world = World()
    world.add(customer(1, failed_email=True), customer(2, failed_email=True))
    world.know(contact_key(1), BOUNCE)
    world.know(contact_key(2), BOUNCE)
    job = freeze(world, 2, CustomerFilter(failed="email"))
    world.customer_service.confirm(BUSINESS_ID, id_of(1), Channel.EMAIL)
    contact = world.contacts.rows[contact_key(2)]
    world.contacts.save(replace(contact, reachability=replace(contact.reachability, failures=frozenset())))
    view = world.run_to_end(job)

    assert outcome(view) == {"skipped:changed": 1, "skipped:no_longer_matches": 1}
    assert numbers(world) == {id_of(1), id_of(2)}


def test_some_of_a_list_are_deleted_by_id_and_only_if_the_filter_holds_too() -> None:
    world = salon()
    ids = [id_of(n) for n in (3, 3, 4, 6, 777)]
    view = world.run_to_end(clean_up(world, 2, VIPS, ids))
    every = world.run_to_end(clean_up(world, 1, CustomerFilter(), [id_of(4)]))

    assert (outcome(view), outcome(every)) == ({"deleted": 2}, {"deleted": 1})
    assert not {id_of(3), id_of(4), id_of(6)} & numbers(world)
    assert len(numbers(world)) == 87


def test_nothing_said_is_not_everybody() -> None:
    world = salon()
    with pytest.raises(InvalidInputError):
        clean_up(world, 90, CustomerFilter())
    view = world.run_to_end(clean_up(world, 90, CustomerFilter(filter={"all": []})))

    assert outcome(view) == {"deleted": 90}
    assert (world.customers.rows, world.contacts.rows) == ({}, {})


def test_a_request_that_comes_twice_is_one_job() -> None:
    world = salon()
    first = world.bulk_delete(BUSINESS_ID, VIPS, None, 30, "POST#key")
    second = world.bulk_delete(BUSINESS_ID, VIPS, None, 30, "POST#key")

    assert first.job == second.job
    assert world.job_runner.started == [(BUSINESS_ID, first.job.job_id, 1)]
    with pytest.raises(NotFoundError):
        world.job_service.get("other", first.job.job_id)


@pytest.mark.parametrize("seed", range(12))
def test_workers_that_die_at_any_call_change_nothing_about_the_end(seed: int) -> None:
    calm = salon(seed=seed)
    expected = calm.run_to_end(clean_up(calm, 30))
    world = salon(seed=seed)
    world.chaos = Chaos(death=0.15)
    view = world.run_to_end(clean_up(world, 30))
    world.chaos = Chaos()
    world.rest()

    assert (view.job.status, view.counts, view.spared) == (expected.job.status, expected.counts, expected.spared)
    assert numbers(world) == numbers(calm)
    assert set(world.contacts.hashed) == set(calm.contacts.hashed)
    assert world.deaths
    check_links(world)


def test_a_death_at_each_single_call_of_the_deletion_is_made_up_for() -> None:
    for death in range(1, 400):
        world = salon(people=40, ranges=1)
        job = freeze(world, 13)
        calls = Counter[str]()

        def die(where: str, calls: Counter[str] = calls, death: int = death) -> None:
            calls[""] += 1
            if calls[""] == death:
                raise WorkerDiedError(where)

        world.checkpoint = die
        died = False
        try:
            world.run_job.work(BUSINESS_ID, job.job.job_id, 0, always)
        except WorkerDiedError:
            died = True
        view = world.run_to_end(job)
        assert (outcome(view), view.job.status) == ({"deleted": 13}, JobStatus.COMPLETED), death
        check_links(world)
        if not died:
            assert death > 20
            return
    raise AssertionError("it never comes to an end")


@pytest.mark.parametrize("seed", range(15))
def test_two_invocations_at_one_range_and_an_edit_beside_them_count_nobody_twice(seed: int) -> None:
    world = salon(people=60, ranges=1)
    job = freeze(world, 20)
    turns = Turns(seed)
    world.checkpoint = turns.checkpoint

    def work() -> None:
        world.run_job.work(BUSINESS_ID, job.job.job_id, 0, always)

    edit = partial(world.customer_service.change, BUSINESS_ID, id_of(30), {"last_name": "Souza"})

    def tolerant() -> None:
        try:
            edit()
        except NotFoundError:
            return

    turns.run([work, work, tolerant])
    world.checkpoint = lambda _: None
    view = world.run_to_end(job)
    spared = id_of(30) in numbers(world)

    assert outcome(view) == ({"deleted": 19, "skipped:changed": 1} if spared else {"deleted": 20})
    assert len(numbers(world)) == 40 + spared
    check_links(world)


def test_a_customer_whom_others_keep_writing_is_left_alone_and_the_rest_goes_on() -> None:
    world = salon(people=30, ranges=1)
    job = freeze(world, 10)

    def meddle(where: str) -> None:
        if where == "contacts.get_many":
            contact = world.contacts.rows.get(contact_key(15))
            if contact is not None:
                world.contacts.save(contact)

    world.checkpoint = meddle
    view = world.run_to_end(job)

    assert outcome(view) == {"deleted": 9, "failed": 1}
    assert [(one.customer_id, one.reason) for one in view.spared] == [(id_of(15), "busy")]
    assert BATCH > 1 < ATTEMPTS


def test_an_error_that_stays_pauses_the_job_and_a_resume_goes_on_where_it_stopped() -> None:
    world = salon()
    job = freeze(world, 30)
    ids = (BUSINESS_ID, job.job.job_id)
    ranges = world.run_job.advance(*ids)
    world.run_job.work(*ids, ranges[0], always)
    gone = 90 - len(numbers(world))
    world.run_job.pause(*ids)
    world.run_job.pause(*ids)
    paused = world.job_service.get(*ids)
    assert world.run_job.advance(*ids) == ()
    assert world.run_job.work(*ids, ranges[1], always)
    assert 90 - len(numbers(world)) == gone
    for _ in range(2):
        resumed = world.job_service.resume(*ids)
    view = world.run_to_end(resumed)

    assert 0 < gone < 30
    assert paused.job.status is JobStatus.PAUSED
    assert "technical error" in str(paused.job.reason)
    assert (resumed.job.status, resumed.job.reason, resumed.job.run) == (JobStatus.RUNNING, None, 2)
    assert world.job_runner.started == [(*ids, 1), (*ids, 2)]
    assert outcome(view) == {"deleted": 30}


def test_a_pause_while_counting_resumes_counting() -> None:
    world = salon()
    job = clean_up(world, 30)
    world.run_job.pause(BUSINESS_ID, job.job.job_id)

    assert world.job_service.resume(BUSINESS_ID, job.job.job_id).job.status is JobStatus.COUNTING


def test_a_range_that_runs_out_of_time_goes_on_where_it_stopped() -> None:
    world = salon(people=100, ranges=1)
    job = clean_up(world, 33)
    looks = iter([True, False] * 100)
    ids = (BUSINESS_ID, job.job.job_id)
    rounds = 0
    while waiting := world.run_job.advance(*ids):
        world.run_job.work(*ids, waiting[0], lambda: next(looks))
        rounds += 1

    assert rounds > 33 // BATCH
    assert outcome(world.job_service.get(*ids)) == {"deleted": 33}


@settings(max_examples=40)
@given(st.data())
def test_nobody_is_deleted_who_was_not_counted_or_has_changed(data: st.DataObject) -> None:
    people = data.draw(st.integers(1, 30))
    world = salon(people=people, ranges=data.draw(st.integers(1, 3)))
    frozen = {id_of(n) for n in vips(people)}
    job = freeze(world, len(frozen))
    touched: set[str] = set()
    for _ in range(data.draw(st.integers(0, 6))):
        who = id_of(data.draw(st.integers(1, people)))
        if who in numbers(world):
            touched.add(who)
            if data.draw(st.booleans()):
                world.customer_service.delete(BUSINESS_ID, who)
            else:
                tags = data.draw(st.sampled_from([["vip"], []]))
                world.customer_service.change(BUSINESS_ID, who, {"general_tags": tags})
    left = numbers(world)
    view = world.run_to_end(job)

    assert numbers(world) == left - (frozen - touched)
    assert sum(outcome(view).values()) == len(frozen)
    assert outcome(view).get("deleted", 0) == len(frozen - touched)
    check_links(world)


def test_a_lost_race_for_the_job_itself_is_raised_to_be_tried_again() -> None:
    world = salon()
    job = freeze(world, 30)
    with pytest.raises(ConcurrentChangeError):
        world.jobs.replace(replace(job.job, version=0))
