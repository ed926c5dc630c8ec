"""What is posted to a webhook: signed, once unless something goes wrong, for a day, and again when somebody asks."""

import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rebound.kernel.errors import ComeAgainError, ConflictError, InvalidInputError, NotFoundError, TooSoonError
from rebound.webhooks.domain.webhooks import (
    BACK_OFF,
    DEAD_AFTER,
    GIVEN_UP_AFTER,
    LONGEST_REST,
    MOST_SECRETS,
    MOST_WEBHOOKS,
    OLD_SECRET_VALID,
    Delivery,
    DeliveryStatus,
    Posted,
    WebhookStatus,
)
from tests.fakes.making import BUSINESS_ID, business
from tests.fakes.world import World

URL: Final = "https://hooks.example.com/in"
OTHER: Final = "https://other.example.com/in"
DOWN: Final = Posted(503)
MINUTE: Final = timedelta(minutes=1)


class Webhooks:
    """A business with webhooks, and the queue on which their deliveries go round."""

    def __init__(self, **given: Any) -> None:
        given = {"owner_email": "owner@example.com"} | given
        self.world = World(business(**given))
        self.service = self.world.webhook_service
        self.clock = self.world.clock
        self.receiver = self.world.webhook_poster
        self.attempts: list[tuple[datetime, str]] = []
        self.answers: dict[str, Posted] = {}
        self.receiver.answer = self._answer

    def _answer(self, url: str) -> Posted:
        self.attempts.append((self.clock.now(), url))
        return self.answers.get(url, Posted(200))

    def put(self, webhook_id: str = "crm", url: str = URL, events: tuple[str, ...] = ("ConsentChanged",)) -> str:
        return self.service.put(BUSINESS_ID, webhook_id, url, events).secret or ""

    def test(self, webhook_id: str = "crm") -> str:
        return self.service.test(BUSINESS_ID, webhook_id).delivery_id

    def delivery(self, delivery_id: str, webhook_id: str = "crm") -> Delivery:
        found = self.world.webhook_deliveries.find(BUSINESS_ID, webhook_id, delivery_id)
        assert found is not None
        return found

    def status(self, webhook_id: str = "crm") -> WebhookStatus:
        return self.service.get(BUSINESS_ID, webhook_id).status

    def pass_time(self, for_: timedelta = timedelta()) -> None:
        """Let what is due happen, in its order, until so much later."""
        queue, end = self.world.webhook_queue.queue, self.clock.now() + for_
        while (due := queue.next_visible_at) is not None and due <= end:
            self.clock.move_to(due)
            [waiting] = queue.receive(self.world.random)
            self.world.deliver_webhook(waiting.body)
            queue.delete(waiting.name)
        self.clock.move_to(end)


def verified(secret: str, header: str, body: bytes, now: datetime) -> bool:
    """As the guide shows it to receivers."""
    parts = [part.split("=", 1) for part in header.split(",")]
    [at] = [value for name, value in parts if name == "t"]
    expected = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    fresh = abs(now.timestamp() - int(at)) < 300
    return fresh and any(hmac.compare_digest(expected, value) for name, value in parts if name == "v1")


def test_what_is_posted_is_signed_with_the_secret_and_the_time() -> None:
    hooks = Webhooks()
    secret = hooks.put()
    event_id = hooks.test()
    hooks.pass_time()
    [(url, body, headers)] = hooks.receiver.posted

    assert url == URL
    assert verified(secret, headers["Rebound-Signature"], body, hooks.clock.now())
    assert not verified("whsec_other", headers["Rebound-Signature"], body, hooks.clock.now())
    assert not verified(secret, headers["Rebound-Signature"], body + b" ", hooks.clock.now())
    assert headers["Content-Type"] == "application/json"
    payload = json.loads(body)
    assert list(payload) == ["id", "type", "occurred_at", "business_id", "data"]
    assert (payload["id"], payload["type"], payload["business_id"]) == (event_id, "WebhookTest", BUSINESS_ID)
    assert hooks.delivery(event_id).status is DeliveryStatus.DELIVERED
    assert hooks.delivery(event_id).response_status == 200


def test_the_secret_is_shown_to_who_makes_the_webhook_and_never_again() -> None:
    hooks = Webhooks()
    secret = hooks.put()

    assert secret.startswith("whsec_")
    assert len(secret) >= 40
    assert hooks.put(url=OTHER) == ""
    assert hooks.service.get(BUSINESS_ID, "crm").url == OTHER
    hooks.test()
    hooks.pass_time()
    assert verified(
        secret, hooks.receiver.posted[0][2]["Rebound-Signature"], hooks.receiver.posted[0][1], hooks.clock.now()
    )


def test_for_a_day_both_secrets_sign_and_then_the_new_one_alone() -> None:
    hooks = Webhooks()
    old = hooks.put()
    new = hooks.service.rotate_secret(BUSINESS_ID, "crm").secret or ""
    assert new not in (old, "")
    for later, valid in (
        (timedelta(), (True, True)),
        (OLD_SECRET_VALID - MINUTE, (True, True)),
        (MINUTE, (False, True)),
    ):
        hooks.pass_time(later)
        hooks.test()
        hooks.pass_time()
        _, body, headers = hooks.receiver.posted[-1]
        header = headers["Rebound-Signature"]
        assert tuple(verified(secret, header, body, hooks.clock.now()) for secret in (old, new)) == valid
        assert header.count("v1=") == sum(valid)


def test_a_header_has_room_for_some_secrets_and_the_next_rotation_waits() -> None:
    hooks = Webhooks()
    hooks.put()
    for _ in range(MOST_SECRETS - 1):
        hooks.service.rotate_secret(BUSINESS_ID, "crm")
        hooks.pass_time(MINUTE)
    with pytest.raises(TooSoonError) as refused:
        hooks.service.rotate_secret(BUSINESS_ID, "crm")
    hooks.pass_time(timedelta(seconds=refused.value.wait_seconds))

    hooks.service.rotate_secret(BUSINESS_ID, "crm")


def test_a_delivery_that_fails_is_tried_again_for_a_day_further_and_further_apart() -> None:
    hooks = Webhooks()
    hooks.put()
    hooks.answers[URL] = DOWN
    delivery_id = hooks.test()
    hooks.pass_time(2 * GIVEN_UP_AFTER)
    times = [at for at, _ in hooks.attempts]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]

    # A webhook that rests makes some of them wait a little longer.
    assert all(waited <= gap <= waited + LONGEST_REST + MINUTE for waited, gap in zip(BACK_OFF, gaps, strict=False))
    assert len(times) >= len(BACK_OFF)
    assert timedelta(hours=12) < times[-1] - times[0] <= GIVEN_UP_AFTER
    assert hooks.delivery(delivery_id).status is DeliveryStatus.FAILED
    assert len({body for _, body, _ in hooks.receiver.posted}) == 1
    assert hooks.world.webhook_queue.queue.next_visible_at is None


@given(st.integers(1, len(BACK_OFF)))
def test_the_first_success_ends_it(failures: int) -> None:
    hooks = Webhooks()
    hooks.put()
    answers = [DOWN] * failures + [Posted(204)]
    hooks.receiver.answer = lambda _: answers.pop(0)
    delivery_id = hooks.test()
    hooks.pass_time(2 * GIVEN_UP_AFTER)

    assert hooks.delivery(delivery_id).status is DeliveryStatus.DELIVERED
    assert hooks.delivery(delivery_id).attempts == failures + 1
    assert hooks.status() is WebhookStatus.ACTIVE
    assert answers == []


@pytest.mark.parametrize("answer", [Posted(301), Posted(404), Posted(410), Posted(500), Posted(problem="No way.")])
def test_nothing_but_a_success_is_one_and_the_list_says_what_came(answer: Posted) -> None:
    hooks = Webhooks()
    hooks.put()
    hooks.answers[URL] = answer
    delivery_id = hooks.test()
    hooks.pass_time()
    kept = hooks.delivery(delivery_id)

    assert (kept.status, kept.attempts) == (DeliveryStatus.PENDING, 1)
    assert (kept.response_status, kept.problem) == (answer.status, answer.problem)
    assert kept.next_attempt_at == kept.last_attempt_at + BACK_OFF[0]  # type: ignore[operator]
    assert hooks.status() is WebhookStatus.FAILING


def test_a_webhook_that_fails_rests_and_is_then_tried_with_one_delivery() -> None:
    """A hundred events to a receiver that is down are not a hundred attempts every few seconds."""
    hooks = Webhooks()
    hooks.put()
    hooks.put("other", OTHER)
    hooks.answers[URL] = DOWN
    ids = [hooks.test() for _ in range(100)]
    hooks.test("other")
    hooks.pass_time(timedelta(hours=2))
    to_it = [at for at, url in hooks.attempts if url == URL]

    assert len(to_it) < 25
    assert sum(url == OTHER for _, url in hooks.attempts) == 1
    assert hooks.status("other") is WebhookStatus.ACTIVE
    hooks.answers[URL] = Posted(200)
    hooks.pass_time(timedelta(hours=1))
    assert all(hooks.delivery(delivery_id).status is DeliveryStatus.DELIVERED for delivery_id in ids)
    assert len([at for at, url in hooks.attempts if url == URL]) - len(to_it) == 100


def run_for_a_week(hooks: Webhooks, every: timedelta = timedelta(hours=7), days: int = 9) -> None:
    end = hooks.clock.now() + timedelta(days=days)
    while hooks.clock.now() < end and hooks.status() is not WebhookStatus.DEAD:
        hooks.test()
        hooks.pass_time(every)


def test_after_a_week_of_failure_it_is_dead_and_the_owner_reads_of_it_once() -> None:
    hooks = Webhooks()
    hooks.put()
    began = hooks.clock.now()
    hooks.answers[URL] = DOWN
    run_for_a_week(hooks)

    assert hooks.status() is WebhookStatus.DEAD
    assert DEAD_AFTER <= hooks.clock.now() - began <= DEAD_AFTER + timedelta(days=1)
    hooks.pass_time(timedelta(days=3))
    [(sender, to, subject, text)] = hooks.world.rebound_mail.sent
    assert (sender, to) == ("hello@juniper.example.com", "owner@example.com")
    assert "crm" in subject
    assert "PUT /v1/webhooks/crm" in text
    count = len(hooks.attempts)
    for refused in (hooks.test, lambda: hooks.service.replay(BUSINESS_ID, "crm", "X" * 26)):
        with pytest.raises(ConflictError) as error:
            refused()
        assert error.value.code == "webhook_dead"
    # Nobody puts anything on its queue any more, and nothing is left there.
    assert hooks.world.businesses.get(BUSINESS_ID).webhooks == ()
    assert hooks.world.webhook_queue.queue.next_visible_at is None
    assert len(hooks.attempts) == count


def test_one_bad_day_and_another_a_week_later_are_not_a_week() -> None:
    hooks = Webhooks()
    hooks.put()
    hooks.answers[URL] = DOWN
    hooks.test()
    hooks.pass_time(timedelta(days=8))
    hooks.test()
    hooks.pass_time(timedelta(hours=1))

    assert hooks.status() is WebhookStatus.FAILING
    hooks.answers[URL] = Posted(200)
    hooks.pass_time(timedelta(days=1))
    assert hooks.status() is WebhookStatus.ACTIVE
    assert hooks.world.rebound_mail.sent == []


def test_one_success_in_a_week_keeps_it_alive() -> None:
    hooks = Webhooks()
    hooks.put()
    hooks.answers[URL] = DOWN
    run_for_a_week(hooks, days=4)
    hooks.answers[URL] = Posted(200)
    hooks.test()
    hooks.pass_time(timedelta(hours=1))
    hooks.answers[URL] = DOWN
    run_for_a_week(hooks, days=5)

    assert hooks.status() is WebhookStatus.FAILING


def test_a_dead_one_that_is_put_again_lives_and_what_it_missed_can_be_replayed() -> None:
    hooks = Webhooks()
    secret = hooks.put()
    hooks.answers[URL] = DOWN
    missed = hooks.test()
    run_for_a_week(hooks)
    hooks.answers[URL] = Posted(200)
    assert hooks.put() == ""
    hooks.service.replay(BUSINESS_ID, "crm", missed)
    hooks.pass_time()
    _, body, headers = hooks.receiver.posted[-1]

    assert hooks.status() is WebhookStatus.ACTIVE
    assert hooks.delivery(missed).status is DeliveryStatus.DELIVERED
    assert json.loads(body)["id"] == missed
    assert verified(secret, headers["Rebound-Signature"], body, hooks.clock.now())


def test_who_has_no_sender_or_no_address_is_not_written_to() -> None:
    for given_ in ({"owner_email": None}, {"email_from": None}):
        hooks = Webhooks(**given_)
        hooks.put()
        hooks.answers[URL] = DOWN
        run_for_a_week(hooks)
        assert hooks.status() is WebhookStatus.DEAD
        assert hooks.world.rebound_mail.sent == []


def test_a_mail_that_does_not_go_out_is_tried_with_the_task_again(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = Webhooks()
    hooks.put()
    hooks.answers[URL] = DOWN
    failed: list[str] = []

    def busy(*_: str) -> None:
        failed.append("once")
        raise ComeAgainError

    monkeypatch.setattr(hooks.world.rebound_mail, "send", busy)
    with pytest.raises(ComeAgainError):
        run_for_a_week(hooks)
    monkeypatch.undo()
    assert hooks.status() is WebhookStatus.DEAD
    hooks.pass_time(timedelta(hours=2))

    assert failed == ["once"]
    assert len(hooks.world.rebound_mail.sent) == 1


def test_a_replay_posts_the_same_event_whatever_became_of_it() -> None:
    hooks = Webhooks()
    hooks.put()
    delivery_id = hooks.test()
    hooks.pass_time()
    hooks.clock.move(timedelta(days=3))
    answered = hooks.service.replay(BUSINESS_ID, "crm", delivery_id)
    assert (answered.status, answered.attempts, answered.run) == (DeliveryStatus.PENDING, 0, 2)
    hooks.pass_time()
    (_, first, _), (_, again, _) = hooks.receiver.posted

    assert first == again
    assert hooks.delivery(delivery_id).status is DeliveryStatus.DELIVERED


def test_a_replay_under_way_takes_the_place_of_the_tries_before() -> None:
    hooks = Webhooks()
    hooks.put()
    hooks.answers[URL] = DOWN
    delivery_id = hooks.test()
    hooks.pass_time()
    hooks.answers[URL] = Posted(200)
    hooks.service.replay(BUSINESS_ID, "crm", delivery_id)
    hooks.pass_time(timedelta(days=2))

    assert len(hooks.attempts) == 2
    assert hooks.delivery(delivery_id).status is DeliveryStatus.DELIVERED


@given(st.lists(st.timedeltas(timedelta(), timedelta(minutes=20)), min_size=1, max_size=3))
def test_a_task_that_comes_twice_is_posted_once(redeliveries: list[timedelta]) -> None:
    hooks = Webhooks()
    hooks.put()
    hooks.world.webhook_queue.queue.redeliveries = redeliveries
    delivery_id = hooks.test()
    hooks.pass_time(timedelta(hours=1))

    assert len(hooks.attempts) == 1
    assert hooks.delivery(delivery_id).status is DeliveryStatus.DELIVERED


def test_what_is_on_its_way_to_a_webhook_that_is_removed_goes_nowhere() -> None:
    hooks = Webhooks()
    hooks.put()
    hooks.answers[URL] = DOWN
    hooks.test()
    hooks.pass_time()
    hooks.service.delete(BUSINESS_ID, "crm")
    hooks.pass_time(timedelta(days=2))

    assert len(hooks.attempts) == 1
    assert hooks.world.businesses.get(BUSINESS_ID).webhooks == ()
    calls: list[Callable[[], object]] = [
        lambda: hooks.service.get(BUSINESS_ID, "crm"),
        lambda: hooks.service.delete(BUSINESS_ID, "crm"),
        lambda: hooks.service.test(BUSINESS_ID, "crm"),
        lambda: hooks.service.rotate_secret(BUSINESS_ID, "crm"),
        lambda: hooks.service.page(BUSINESS_ID, "crm", 10, None),
        lambda: hooks.service.replay(BUSINESS_ID, "crm", "X"),
    ]
    for call in calls:
        with pytest.raises(NotFoundError):
            call()


def test_a_business_has_five_webhooks_and_no_sixth() -> None:
    hooks = Webhooks()
    for number in range(MOST_WEBHOOKS):
        hooks.put(f"hook-{number}")
    with pytest.raises(ConflictError) as refused:
        hooks.put("one-more")
    assert refused.value.code == "too_many_webhooks"
    hooks.put("hook-0", OTHER)
    hooks.service.delete(BUSINESS_ID, "hook-1")
    hooks.put("one-more")

    assert [each.webhook_id for each in hooks.service.list(BUSINESS_ID)] == [
        "hook-0",
        "hook-2",
        "hook-3",
        "hook-4",
        "one-more",
    ]


@pytest.mark.parametrize("webhook_id", ["twilio", "Twilio", "", "a b", "a/b", "ä", "a" * 65, "a\n"])
def test_an_id_that_cannot_be_one_changes_nothing(webhook_id: str) -> None:
    hooks = Webhooks()
    with pytest.raises(InvalidInputError) as refused:
        hooks.put(webhook_id)

    assert [error.field for error in refused.value.errors] == ["webhook_id"]
    assert hooks.service.list(BUSINESS_ID) == []
    assert hooks.world.businesses.get(BUSINESS_ID).webhooks == ()


def test_everything_that_is_wrong_is_named_at_once() -> None:
    hooks = Webhooks()
    with pytest.raises(InvalidInputError) as refused:
        hooks.put("twilio", "http://10.0.0.1/", ("ConsentChange", "ReplyReceived", "x"))
    errors = {error.field: error for error in refused.value.errors}

    assert sorted(errors) == ["events[0]", "events[2]", "url", "webhook_id"]
    assert errors["events[0]"].did_you_mean == "ConsentChanged"
    with pytest.raises(InvalidInputError):
        hooks.put(events=())


def test_a_name_of_another_webhooks_action_is_an_id_like_any_other() -> None:
    hooks = Webhooks()
    hooks.put("test")
    hooks.put("deliveries")

    assert [each.webhook_id for each in hooks.service.list(BUSINESS_ID)] == ["deliveries", "test"]


def test_deliveries_are_listed_by_the_page_the_latest_first() -> None:
    hooks = Webhooks()
    hooks.put()
    hooks.put("other", OTHER)
    ids = []
    for _ in range(7):
        ids.append(hooks.test())
        hooks.pass_time(MINUTE)
    hooks.test("other")
    seen, cursor = [], None
    while True:
        page = hooks.service.page(BUSINESS_ID, "crm", 3, cursor)
        seen += [delivery.delivery_id for delivery in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == ids[::-1]
