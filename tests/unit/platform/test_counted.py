"""What goes through a counted port comes out as it was, and is counted by what became of it."""

import json
from collections import Counter
from collections.abc import Sequence

import pytest

from rebound.kernel.channels import Channel
from rebound.kernel.events import ContactRestored, DomainEvent
from rebound.kernel.provider_codes import Provider
from rebound.platform import telemetry
from rebound.platform.adapters.domain_events import CountedDomainEvents
from rebound.rates.adapters import CountedQuota
from rebound.rates.domain import Quota, Throttled
from rebound.sending.adapters.counted import CountedMailer, CountedTexter
from rebound.sending.domain.recipients import ACCESS_DENIED, Accepted, OutgoingEmail, Refused, SendResult, Unknown
from rebound.templates.domain.rendering import RenderedEmail
from tests.contract.platform.fakes import RecordingDomainEvents
from tests.contract.rates.fakes import ScriptedQuota
from tests.contract.sending.fakes import ScriptedMailer, ScriptedTexter
from tests.fakes.making import BUSINESS_ID, id_of, message_key

RESULTS: list[tuple[SendResult, str]] = [
    (Accepted("id-1"), "HandedOver"),
    (Refused("21211"), "Refused"),
    (Throttled("20429"), "Throttled"),
    (Unknown("timeout"), "Uncertain"),
]


@pytest.mark.parametrize(("result", "became"), RESULTS)
def test_a_text_is_counted_by_what_became_of_it(result: SendResult, became: str) -> None:
    counts: Counter[str] = Counter()
    texter = ScriptedTexter(Provider.SNS)
    texter.answer("+14155550123", result)
    counted = CountedTexter(texter, lambda name: counts.update([name]))

    assert counted.send(None, message_key(), "+14155550123", "Hi") == result
    assert counted.provider is Provider.SNS
    assert counts == {f"Texts{became}": 1}


def test_emails_are_counted_one_by_one() -> None:
    counts: Counter[str] = Counter()
    mailer = ScriptedMailer()
    emails = []
    for number, (result, _) in enumerate(RESULTS):
        mailer.answer(f"ana{number}@example.com", result)
        emails.append(OutgoingEmail(message_key(number), f"ana{number}@example.com", RenderedEmail("Hi", "Hi", "Hi")))
    counted = CountedMailer(mailer, lambda name: counts.update([name]))

    assert list(counted.send("us@example.com", emails, "desk@example.com")) == [result for result, _ in RESULTS]
    assert mailer.answered_at == {"desk@example.com"}
    assert counts == {f"Emails{became}": 1 for _, became in RESULTS}


@pytest.mark.parametrize(
    ("quota", "counted"),
    [
        (Quota(14.0, 200, 200), {"QuotaUsedUp": 1}),
        (Quota(14.0, 200, 199), {}),
        (Quota(14.0, None, 10**6), {}),
        (None, {}),
    ],
)
def test_a_quota_that_is_used_up_is_counted_because_nothing_else_shows_it(
    quota: Quota | None, counted: dict[str, int]
) -> None:
    counts: Counter[str] = Counter()
    source = ScriptedQuota()
    source.now = quota

    assert CountedQuota(source, lambda name: counts.update([name])).quota() == quota
    assert counts == counted


@pytest.mark.parametrize("what", ["EmailsThrottled", "QuotaUsedUp"])
@pytest.mark.parametrize("sent", [0, 3])
def test_an_alarm_sees_zero_handed_over_where_somebody_wanted_to_send(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str, sent: int
) -> None:
    for name, value in {"POWERTOOLS_METRICS_NAMESPACE": "X", "POWERTOOLS_SERVICE_NAME": "x"}.items():
        monkeypatch.setenv(name, value)
    telemetry.metrics.cache_clear()
    telemetry.count(what)
    telemetry.count("EmailsHandedOver", sent)
    telemetry.flush_counts()

    assert json.loads(capsys.readouterr().out)["EmailsHandedOver"] == [float(sent)]
    telemetry.metrics.cache_clear()


def test_what_aws_denies_is_counted_apart_too() -> None:
    counts: Counter[str] = Counter()
    texter = ScriptedTexter(Provider.SNS)
    texter.answer("+14155550123", Refused(ACCESS_DENIED))
    CountedTexter(texter, lambda name: counts.update([name])).send(None, message_key(), "+14155550123", "Hi")

    assert counts == {"TextsRefused": 1, "TextsDenied": 1}


def test_events_are_counted_when_they_are_published_and_not_when_that_fails() -> None:
    counts: Counter[str] = Counter()
    event = ContactRestored(BUSINESS_ID, Channel.SMS, (id_of(1),), 4, "change-4")
    published = RecordingDomainEvents()
    CountedDomainEvents(published, lambda name: counts.update([name])).publish([event, event])

    class Broken:
        def publish(self, events: Sequence[DomainEvent]) -> None:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        CountedDomainEvents(Broken(), lambda name: counts.update([name])).publish([event])
    assert published.published == [event, event]
    assert counts == {"ContactRestored": 2}
