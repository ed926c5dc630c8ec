"""The twin's small parts: templates, ids, the service model, the log, text length, settings, callback retries."""

import json
from collections.abc import Sequence

import pytest

from local.twin.aws import ConfigurationSet, ConfigurationSets, EventDestination, LogLine
from local.twin.exchange import Request
from local.twin.ledger import AcceptedSend, SendLedger
from local.twin.service_model import violations
from local.twin.settings import TwinSettings
from local.twin.status_callbacks import RetryPolicy
from local.twin.story import Story
from local.twin.suppression import SuppressionList
from local.twin.templates import RenderingError, render
from local.twin.timestamps import dlr_done, iso, rfc2822, sns_log

# Templates


def test_variables_are_replaced_as_they_are() -> None:
    data = {"html": "<b>&amp;</b>", "n": 3, "person": {"name": "Ana"}, "none": None, "yes": True}
    assert render("{{{html}}}|{{html}}|{{ n }}|{{person.name}}|{{none}}|{{yes}}", data) == (
        "<b>&amp;</b>|<b>&amp;</b>|3|Ana||true"
    )


def test_values_are_not_read_as_templates() -> None:
    assert render("{{{a}}}", {"a": "{{b}} {{{b}}}", "b": "x"}) == "{{b}} {{{b}}}"


@pytest.mark.parametrize("template", ["{{missing}}", "{{a.missing}}", "{{{missing}}}", "{{#if a}}x{{/if}}"])
def test_what_cannot_be_rendered_fails(template: str) -> None:
    with pytest.raises(RenderingError):
        render(template, {"a": "x"})


def test_a_missing_variable_is_told_in_the_words_of_ses() -> None:
    with pytest.raises(RenderingError, match=r"^Attribute 'name' is not present in the rendering data"):
        render("{{name}}", {})


# Ids


def test_the_same_seed_tells_the_same_story() -> None:
    def ids(story: Story) -> list[str]:
        return [story.ses_id("message"), story.twilio_sid(), story.uuid("sns"), str(story.jitter("x", 0))]

    assert ids(Story(1)) == ids(Story(1))
    assert not set(ids(Story(1))) & set(ids(Story(2)))


def test_ids_of_one_kind_do_not_depend_on_another_kind() -> None:
    quiet, busy = Story(1), Story(1)
    busy.twilio_sid()
    assert quiet.ses_id("message") == busy.ses_id("message")
    assert quiet.ses_id("message") != quiet.ses_id("message")


def test_ids_have_the_providers_shapes() -> None:
    story = Story(1)
    sid = story.twilio_sid()
    assert sid.startswith("SM")
    assert len(sid) == 34
    assert set(sid[2:]) <= set("0123456789abcdef")
    assert [len(part) for part in story.ses_id("message").split("-")] == [16, 8, 4, 4, 4, 12, 6]
    assert all(0.5 <= story.jitter("message", step) < 1.5 for step in range(100))


# The service model


def entry(**members: object) -> dict[str, object]:
    return {"Destination": {"ToAddresses": ["ana@example.com"]}, **members}


def bulk(*entries: object) -> dict[str, object]:
    return {"DefaultContent": {"Template": {"TemplateContent": {"Subject": "s"}}}, "BulkEmailEntries": list(entries)}


def test_the_service_model_takes_what_ses_takes() -> None:
    assert violations("sesv2", "SendBulkEmail", bulk(entry(), entry(FutureMember=1))) == []


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        ([], "''"),
        ({"BulkEmailEntries": []}, "'defaultContent'"),
        (bulk({}), "'bulkEmailEntries.1.member.destination'"),
        (bulk(entry(ReplacementTags=[{"Name": "a"}])), "'bulkEmailEntries.1.member.replacementTags.1.member.value'"),
        (bulk(entry(Destination={"ToAddresses": [1]})), "'bulkEmailEntries.1.member.destination.toAddresses.1.member'"),
        (bulk(entry(ReplacementHeaders=[{"Name": "a", "Value": "b"}] * 16)), "less than or equal to 15"),
        (bulk(entry(ReplacementHeaders=[{"Name": "a b", "Value": "b"}])), "regular expression"),
        (
            bulk(
                entry(ReplacementEmailContent={"ReplacementTemplate": {"ReplacementTemplateData": "x" * 262_145}}),
            ),
            "less than or equal to 262144",
        ),
    ],
)
def test_the_service_model_names_what_is_wrong(payload: object, where: str) -> None:
    (violation,) = violations("sesv2", "SendBulkEmail", payload)
    assert where in violation


def test_the_service_model_knows_enumerations() -> None:
    (violation,) = violations("sesv2", "PutSuppressedDestination", {"EmailAddress": "a@b.c", "Reason": "WHIM"})
    assert "[BOUNCE, COMPLAINT]" in violation


# The log


def test_the_log_keeps_sends_in_order_and_streams_what_was_there() -> None:
    ledger = SendLedger()
    for number in range(3):
        ledger.record([AcceptedSend(1.5, "ses", f"é{number}@example.com", {"a": "b"}, {"text": "x" * 50_000}, "id")])
    stream = ledger.stream()
    ledger.record([AcceptedSend(2.0, "sns", "+1", {}, {"body": "late"}, "late")])
    read = b"".join(stream.chunks)
    assert len(read) == stream.length
    lines = [json.loads(line) for line in read.splitlines()]
    assert [line["to"] for line in lines] == ["é0@example.com", "é1@example.com", "é2@example.com"]
    assert set(lines[0]) == {"at", "provider", "to", "tags", "content", "id"}
    assert lines[0]["at"] == "1970-01-01T00:00:01.500Z"
    assert len(ledger) == 4
    ledger.close()


# Times and lengths


def test_times_are_written_as_the_providers_do() -> None:
    at = 1_795_341_600.0345
    assert iso(at) == "2026-11-22T10:00:00.034Z"
    assert sns_log(at) == "2026-11-22 10:00:00.034"
    assert rfc2822(at) == "Sun, 22 Nov 2026 10:00:00 +0000"
    assert dlr_done(at) == "2611221000"


# Settings and requests


def test_arguments_stand_above_the_environment() -> None:
    environment = {"REBOUND_TWIN_PORT": "5000", "TWILIO_AUTH_TOKEN": "t", "AWS_REGION": "eu-west-1"}
    assert TwinSettings.read([], environment).port == 5000
    chosen = TwinSettings.read(["--port", "0", "--seed", "9", "--delay", "0"], environment)
    assert (chosen.port, chosen.seed, chosen.delay_seconds, chosen.region) == (0, 9, 0.0, "eu-west-1")
    assert chosen.aws_endpoint_url == "http://127.0.0.1:4566"
    assert "auth_token" not in repr(chosen)


def test_a_request_keeps_blank_values_and_the_encoded_path() -> None:
    request = Request.of("POST", "/a%2Fb?x=&y=1", {"Content-TYPE": "t"}, b"To=%2B1&Body=")
    assert request.path == "/a%2Fb"
    assert request.query == {"x": [""], "y": ["1"]}
    assert request.headers == {"content-type": "t"}
    assert request.form() == {"To": "+1", "Body": ""}


@pytest.mark.parametrize("arguments", [["--aws-endpoint-url", "x"], ["--delay", "-1"], ["--port", "http"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        TwinSettings.read(arguments, {})
    assert caught.value.code == 2


# Callback retries


@pytest.mark.parametrize(
    ("fragment", "failure", "retries"),
    [
        ("", "ct", 1),
        ("", "5xx", 0),
        ("#rc=2&rp=ct,rt,5xx", "5xx", 2),
        ("#rc=2&rp=ct,rt,5xx", "4xx", 0),
        ("#rc=2", "ct", 2),
        ("#rp=all", "4xx", 1),
        ("#rc=0", "ct", 0),
        ("#rc=99", "ct", 5),
        ("#rc=many", "ct", 1),
    ],
)
def test_the_fragment_of_the_url_says_what_is_tried_again(fragment: str, failure: str, retries: int) -> None:
    policy = RetryPolicy.of(f"https://example.com/status?b=1{fragment}")
    assert [policy.retries(failure, attempt) for attempt in range(7)] == [True] * retries + [False] * (7 - retries)


# Configuration sets and suppression


class CountingAws:
    def __init__(self) -> None:
        self.asked = 0
        self.known: ConfigurationSet | None = None

    def configuration_set(self, name: str) -> ConfigurationSet | None:
        assert name == "rebound"
        self.asked += 1
        return self.known

    def publish(self, topic_arn: str, subject: str, messages: Sequence[str]) -> list[bool]:
        raise AssertionError(topic_arn, subject, messages)

    def put_log_lines(self, group: str, lines: Sequence[LogLine]) -> None:
        raise AssertionError(group, lines)


def test_configuration_sets_are_remembered_and_absent_ones_asked_for_again_soon() -> None:
    aws, now = CountingAws(), [0.0]
    sets = ConfigurationSets(aws, "arn:fallback", now=lambda: now[0])
    assert sets.get(None).destinations[0].topic_arn == "arn:fallback"
    assert sets.get("rebound").destinations[0].topic_arn == "arn:fallback"
    aws.known = ConfigurationSet((EventDestination("arn:stack", frozenset({"BOUNCE"})),))
    now[0] = 2.0
    assert sets.get("rebound") is aws.known
    assert sets.get("rebound") is aws.known
    assert aws.asked == 2
    now[0] = 30.0
    sets.get("rebound")
    assert aws.asked == 3


def test_the_suppression_list_is_read_page_by_page() -> None:
    suppressed = SuppressionList()
    for number in range(5):
        suppressed.put(f"{number}@example.com", "BOUNCE" if number % 2 else "COMPLAINT", float(number))
    first, token = suppressed.page([], None, None, 3, None)
    rest, end = suppressed.page([], None, None, 3, token)
    assert [item.address[0] for item in first + rest] == ["0", "1", "2", "3", "4"]
    assert end is None
    assert [item.address[0] for item in suppressed.page(["BOUNCE"], 1.5, None, None, None)[0]] == ["3"]
