"""A webhook, its secrets, its health, and each delivery to it.

A delivery that fails is tried again for a day, further and further apart. A webhook that fails several times in a row
rests: until then nothing is posted to it, and afterwards one delivery at a time, until one succeeds. One whose
deliveries are still given up after a week without a success is dead, until its client puts it again.
"""

from __future__ import annotations

import hashlib
import hmac
from copy import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_WEBHOOKS: Final = 5
"""Of one business."""
MOST_SECRETS: Final = 5
"""Valid at the same time: each is one more signature in the header."""
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what all secrets begin with
OLD_SECRET_VALID: Final = timedelta(days=1)
TEST_EVENT: Final = "WebhookTest"
"""The type of the event that a client asks for to try a webhook."""

BACK_OFF: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800)
)
"""How long to wait after each failed attempt; after the last one the delivery is given up, within 24 hours."""
GIVEN_UP_AFTER: Final = timedelta(days=1)
DEAD_AFTER: Final = timedelta(days=7)
RESTS_AFTER: Final = 3
"""Failures in a row, of whichever deliveries."""
FIRST_REST: Final = timedelta(seconds=30)
LONGEST_REST: Final = timedelta(minutes=15)
PROBE: Final = timedelta(minutes=1)
"""How long the others wait for the one delivery that is tried after a rest."""


class Secret(Struct, frozen=True):
    """What signatures are made with; ``valid_until`` is ``None`` for the current one."""

    value: str
    valid_until: datetime | None = None


class Health(Struct, frozen=True):
    """How a webhook does.

    ``failing_since`` is the first failure since the last success, ``failures`` how many there were in a row.
    ``owner_told`` is set once the owner was written to about a dead one.
    """

    failing_since: datetime | None = None
    failures: int = 0
    resting_until: datetime | None = None
    died_at: datetime | None = None
    owner_told: bool = False

    def after_failure(self, now: datetime) -> Health:
        """The health after one more failure."""
        failures = self.failures + 1
        rest = FIRST_REST * 2 ** min(failures - RESTS_AFTER, 8) if failures >= RESTS_AFTER else None
        return replace(
            self,
            failing_since=self.failing_since or now,
            failures=failures,
            resting_until=None if rest is None else now + min(rest, LONGEST_REST),
        )

    def is_beyond_hope(self, now: datetime) -> bool:
        """Whether a delivery that is given up now is the end of the webhook."""
        return self.failing_since is not None and now - self.failing_since >= DEAD_AFTER


class WebhookStatus(StrEnum):
    """How a webhook stands."""

    ACTIVE = "active"
    FAILING = "failing"
    """The latest attempt failed; tries go on."""
    DEAD = "dead"
    """Nothing is posted to it any more until it is put again."""


class Webhook(Struct, frozen=True):
    """Where a business wants some events posted to.

    ``events`` are names of events. ``secrets`` begin with the current one. ``version`` counts the writes of the stored
    row, 0 for none yet.
    """

    business_id: str
    webhook_id: str
    url: str
    events: tuple[str, ...]
    secrets: tuple[Secret, ...]
    created_at: datetime
    updated_at: datetime
    health: Health = field(default_factory=Health)
    version: int = 0

    @property
    def status(self) -> WebhookStatus:
        """How it stands."""
        if self.is_dead:
            return WebhookStatus.DEAD
        return WebhookStatus.ACTIVE if self.health.failing_since is None else WebhookStatus.FAILING

    @property
    def is_dead(self) -> bool:
        """Whether nothing is posted to it any more."""
        return self.health.died_at is not None

    def secrets_at(self, now: datetime) -> tuple[Secret, ...]:
        """The secrets that are valid, the current one first."""
        return tuple(secret for secret in self.secrets if secret.valid_until is None or secret.valid_until > now)

    def with_new_secret(self, value: str, now: datetime) -> Webhook:
        """This webhook with another current secret; the one before stays valid for a day."""
        current, *older = self.secrets_at(now)
        secrets = (Secret(value), Secret(current.value, now + OLD_SECRET_VALID), *older)
        return replace(self, secrets=secrets, updated_at=now)


class DeliveryStatus(StrEnum):
    """What became of a delivery."""

    PENDING = "pending"
    """Not delivered yet, and will be tried (again)."""
    DELIVERED = "delivered"
    """Answered with a status from 200 to 299."""
    FAILED = "failed"
    """Given up; it can be replayed."""


class Delivery(Struct, frozen=True):
    """One event on its way to one webhook.

    ``delivery_id`` is the event's id; ``body`` what is posted, to the byte, at each attempt. ``run`` counts how often
    it was asked for: a replay begins a new one, with a day and attempts of its own, which began at ``begun_at``.
    ``response_status`` and ``problem`` are those of the latest attempt. ``version`` counts the writes of the row.
    """

    business_id: str
    webhook_id: str
    delivery_id: str
    type: str
    body: str
    created_at: datetime
    begun_at: datetime
    status: DeliveryStatus = DeliveryStatus.PENDING
    run: int = 1
    attempts: int = 0
    next_attempt_at: datetime | None = None
    last_attempt_at: datetime | None = None
    response_status: int | None = None
    problem: str | None = None
    version: int = 0

    def after(self, posted: Posted, now: datetime) -> Delivery:
        """The delivery after an attempt."""
        tried = replace(
            self,
            attempts=self.attempts + 1,
            last_attempt_at=now,
            response_status=posted.status,
            problem=posted.problem,
            next_attempt_at=None,
        )
        if posted.is_success:
            return replace(tried, status=DeliveryStatus.DELIVERED)
        if self.attempts >= len(BACK_OFF):
            return replace(tried, status=DeliveryStatus.FAILED)
        return replace(tried, next_attempt_at=now + BACK_OFF[self.attempts])

    def is_too_old(self, now: datetime) -> bool:
        """Whether its day is over."""
        return now - self.begun_at >= GIVEN_UP_AFTER

    def replayed(self, now: datetime) -> Delivery:
        """The same event once more, from the beginning."""
        return replace(
            self,
            status=DeliveryStatus.PENDING,
            run=self.run + 1,
            begun_at=now,
            attempts=0,
            next_attempt_at=now,
            problem=None,
            response_status=None,
        )


class DeliveryTask(Struct, frozen=True):
    """A delivery on the queue; one that has no row yet brings its ``type`` and ``body`` along."""

    business_id: str
    webhook_id: str
    delivery_id: str
    run: int = 1
    not_before: datetime | None = None
    type: str | None = None
    body: str | None = None


class Posted(Struct, frozen=True):
    """What came of an attempt: the status of the answer or, if there was none, a sentence that says why."""

    status: int | None = None
    problem: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - what HTTP calls successful


def signature(secrets: Iterable[Secret], at: datetime, body: bytes) -> str:
    """The header ``Rebound-Signature``: the time, and for each secret the HMAC-SHA256 over ``<time>.<body>``."""
    seconds = int(at.timestamp())
    signed = b"%d.%s" % (seconds, body)
    digests = [hmac.new(secret.value.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={seconds}", *(f"v1={digest}" for digest in digests)])
