"""The twin over HTTP, as the real clients see it: boto3 for SES and SNS, Twilio's SDK, and their callbacks."""

import contextlib
import http.client
import http.server
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client as TwilioClient

from local.twin.aws import ConfigurationSet, EventDestination, LogLine
from local.twin.server import TwinServer
from local.twin.settings import TwinSettings
from local.twin.twin import Twin

TOPIC = "arn:aws:sns:us-east-1:000000000000:ses-events"
WANTED = frozenset({"BOUNCE", "COMPLAINT", "DELIVERY", "RENDERING_FAILURE"})
SETTINGS = TwinSettings(port=0, delay_seconds=0.02, ses_identities=("example.com",), twilio_services=("MG1",))


@dataclass
class RecordingAws:
    """Keeps what the twin publishes; ``away`` makes the next calls fail as if nobody listened."""

    set: ConfigurationSet | None = field(default_factory=lambda: ConfigurationSet((EventDestination(TOPIC, WANTED),)))
    events: list[dict[str, Any]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    logs: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    away: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def configuration_set(self, name: str) -> ConfigurationSet | None:
        return self.set if name == "rebound" else None

    def publish(self, topic_arn: str, subject: str, messages: Sequence[str]) -> list[bool]:
        assert topic_arn == TOPIC
        assert subject
        with self.lock:
            self._fail_while_away()
            self.events += map(json.loads, messages)
            self.batches.append(len(messages))
        return [True] * len(messages)

    def put_log_lines(self, group: str, lines: Sequence[LogLine]) -> None:
        with self.lock:
            self._fail_while_away()
            self.logs[group] += [json.loads(line.message) for line in lines]

    def _fail_while_away(self) -> None:
        if self.away:
            self.away -= 1
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


class Receiver(http.server.ThreadingHTTPServer):
    """A webhook that keeps what it gets and answers with the next of ``statuses``, then 204."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ReceiverHandler)
        self.posts: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.statuses: list[int] = []
        self.answer = b""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _ReceiverHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        self.server.posts.append((self.path, fields, dict(self.headers.items())))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving(server: http.server.ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Bench:
    """A running twin and the clients that talk to it."""

    def __init__(self, server: TwinServer, aws: RecordingAws) -> None:
        self.url = server.url
        self.port = server.server_port
        self.aws = aws
        self._to_close: list[Any] = []

    def aws_client(self, service: Any) -> Any:
        client = boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - opens nothing
            config=Config(retries={"total_max_attempts": 1}),
        )
        self._to_close.append(client)
        return client

    def twilio(self, token: str = SETTINGS.twilio_auth_token) -> Any:
        client: Any = TwilioClient(SETTINGS.twilio_account_sid, token)
        client.api.base_url = self.url
        self._to_close.append(client.http_client.session)
        return client

    def close(self) -> None:
        """Twilio's sessions would otherwise be found open by whichever test runs at the next garbage collection."""
        for client in self._to_close:
            client.close()

    def ask(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request(method, path, None if document is None else json.dumps(document))
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, json.loads(body) if path != "/log" else [json.loads(x) for x in body.splitlines()]

    def log(self) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = self.ask("GET", "/log")[1]
        return lines

    def settle(self) -> dict[str, int]:
        deadline = time.monotonic() + 10
        while True:
            pending: dict[str, int] = self.ask("GET", "/pending")[1]
            if pending["callbacks"] == 0:
                return pending
            assert time.monotonic() < deadline, pending
            time.sleep(0.01)

    def fault(self, provider: str, kind: str, rate: float = 1.0, **more: Any) -> None:
        status, _ = self.ask("POST", "/faults", {"provider": provider, "kind": kind, "rate": rate, **more})
        assert status == 200

    def quota(self, **figures: float) -> dict[str, float]:
        status, quota = self.ask("PUT", "/quota", figures)
        assert status == 200
        return dict(quota)


@contextlib.contextmanager
def running(settings: TwinSettings = SETTINGS) -> Iterator[Bench]:
    aws = RecordingAws()
    twin = Twin(settings, aws)
    server = TwinServer(0, twin.handle)
    with serving(server):
        twin.start()
        bench = Bench(server, aws)
        try:
            yield bench
        finally:
            bench.close()
            twin.stop()


@pytest.fixture
def bench() -> Iterator[Bench]:
    with running() as bench:
        yield bench


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    with serving(server):
        yield server


def entry(to: str, message_id: str = "m1", **data: str) -> dict[str, Any]:
    values = {"subject": "Hello Ana", "html": "<p>Hi</p>", "text": "Hi", **data}
    return {
        "Destination": {"ToAddresses": [to]},
        "ReplacementTags": [{"Name": "message_id", "Value": message_id}],
        "ReplacementHeaders": [{"Name": "List-Unsubscribe", "Value": "<https://example.com/u/1>"}],
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": json.dumps(values)}},
    }


def bulk(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = {"Subject": "{{{subject}}}", "Html": "{{{html}}}", "Text": "{{{text}}}"}
    return {
        "FromEmailAddress": "Salon <hello@example.com>",
        "DefaultContent": {"Template": {"TemplateContent": content, "TemplateData": "{}"}},
        "DefaultEmailTags": [{"Name": "business_id", "Value": "b1"}],
        "BulkEmailEntries": list(entries),
        "ConfigurationSetName": "rebound",
        **more,
    }


def simple(to: str, **more: Any) -> dict[str, Any]:
    return {
        "FromEmailAddress": "hello@example.com",
        "Destination": {"ToAddresses": [to]},
        "Content": {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hi {{x}}"}}}},
        "ConfigurationSetName": "rebound",
        **more,
    }


def statuses(answer: dict[str, Any]) -> list[str]:
    return [result["Status"] for result in answer["BulkEmailEntryResults"]]


def story(events: list[dict[str, Any]], to: str) -> list[str]:
    return [event["eventType"] for event in events if to in event["mail"]["destination"]]


# SES


def test_a_bulk_send_is_accepted_logged_and_told(bench: Bench) -> None:
    addresses = ["ana@example.com", "bounce+1@simulator.amazonses.com", "complaint+1@simulator.amazonses.com"]
    answer = bench.aws_client("sesv2").send_bulk_email(
        **bulk(*[entry(address, f"m{number}", html="{{x}}") for number, address in enumerate(addresses)])
    )
    assert statuses(answer) == ["SUCCESS"] * 3
    assert bench.settle() == {"callbacks": 0, "held": 0, "failed": 0}
    events = bench.aws.events
    assert [story(events, address) for address in addresses] == [["Delivery"], ["Bounce"], ["Delivery", "Complaint"]]
    log = bench.log()
    assert [line["to"] for line in log] == addresses
    assert [line["id"] for line in log] == [result["MessageId"] for result in answer["BulkEmailEntryResults"]]
    assert log[0]["provider"] == "ses"
    assert log[0]["tags"] == {"business_id": "b1", "message_id": "m0"}
    assert log[0]["content"] == {
        "subject": "Hello Ana",
        "html": "{{x}}",
        "text": "Hi",
        "headers": {"List-Unsubscribe": "<https://example.com/u/1>"},
    }


def test_an_event_has_the_shape_of_a_configuration_set(bench: Bench) -> None:
    answer = bench.aws_client("sesv2").send_bulk_email(**bulk(entry("bounce+1@simulator.amazonses.com", "m7")))
    bench.settle()
    (event,) = bench.aws.events
    mail, bounce = event["mail"], event["bounce"]
    assert set(event) == {"eventType", "mail", "bounce"}
    assert mail["messageId"] == answer["BulkEmailEntryResults"][0]["MessageId"]
    assert mail["source"] == "Salon <hello@example.com>"
    assert mail["sourceArn"] == "arn:aws:ses:us-east-1:000000000000:identity/example.com"
    assert mail["tags"]["message_id"] == ["m7"]
    assert mail["tags"]["business_id"] == ["b1"]
    assert mail["tags"]["ses:configuration-set"] == ["rebound"]
    assert mail["commonHeaders"]["subject"] == "Hello Ana"
    assert {"name": "List-Unsubscribe", "value": "<https://example.com/u/1>"} in mail["headers"]
    assert (bounce["bounceType"], bounce["bounceSubType"]) == ("Permanent", "NoEmail")
    assert bounce["bouncedRecipients"] == [
        {
            "emailAddress": "bounce+1@simulator.amazonses.com",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
    ]
    assert bounce["timestamp"].endswith("Z")
    assert bounce["timestamp"] > mail["timestamp"]


def test_a_late_bounce_happens_after_its_delivery(bench: Bench) -> None:
    bench.aws_client("sesv2").send_email(**simple("latebounce+1@twin.example.com"))
    bench.settle()
    delivery, bounce = bench.aws.events
    assert delivery["delivery"]["timestamp"] < bounce["bounce"]["timestamp"]
    assert bounce["bounce"]["bounceType"] == "Permanent"


@pytest.mark.parametrize("in_one_call", [True, False])
def test_a_reordered_bounce_is_told_last_but_happened_first(bench: Bench, *, in_one_call: bool) -> None:
    ses = bench.aws_client("sesv2")
    address = "reordered+1@twin.example.com"
    if in_one_call:
        ses.send_bulk_email(**bulk(entry(address, "first"), entry(address, "second")))
    else:
        ses.send_bulk_email(**bulk(entry(address, "first")))
        assert bench.settle() == {"callbacks": 0, "held": 1, "failed": 0}
        assert bench.aws.events == []
        ses.send_bulk_email(**bulk(entry(address, "second")))
    assert bench.settle()["held"] == 0
    delivery, bounce = bench.aws.events
    assert delivery["mail"]["tags"]["message_id"] == ["second"]
    assert bounce["mail"]["tags"]["message_id"] == ["first"]
    assert bounce["bounce"]["timestamp"] < delivery["delivery"]["timestamp"]
    ses.send_bulk_email(**bulk(entry(address, "third")))
    bench.settle()
    assert bench.aws.events[-1]["eventType"] == "Delivery"


def test_a_full_mailbox_recovers_and_a_throttled_one_takes_the_second_attempt(bench: Bench) -> None:
    ses = bench.aws_client("sesv2")
    both = bulk(entry("recovers+1@twin.example.com"), entry("throttled+1@twin.example.com"))
    assert statuses(ses.send_bulk_email(**both)) == ["SUCCESS", "ACCOUNT_THROTTLED"]
    bench.settle()
    assert [event["bounce"]["bounceSubType"] for event in bench.aws.events] == ["MailboxFull"]
    assert statuses(ses.send_bulk_email(**both)) == ["SUCCESS", "SUCCESS"]
    bench.settle()
    assert [event["eventType"] for event in bench.aws.events[1:]] == ["Delivery", "Delivery"]
    assert len(bench.log()) == 3


def test_a_single_send_to_a_throttled_address_is_refused_once(bench: Bench) -> None:
    ses = bench.aws_client("sesv2")
    with pytest.raises(ses.exceptions.TooManyRequestsException) as caught:
        ses.send_email(**simple("throttled+1@twin.example.com"))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert ses.send_email(**simple("throttled+1@twin.example.com"))["MessageId"]
    assert bench.log()[0]["content"]["text"] == "Hi {{x}}"


def test_a_missing_variable_is_accepted_and_fails_later(bench: Bench) -> None:
    one = entry("ana@example.com")
    one["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"] = '{"subject": "s", "html": "h"}'
    assert statuses(bench.aws_client("sesv2").send_bulk_email(**bulk(one))) == ["SUCCESS"]
    bench.settle()
    (event,) = bench.aws.events
    assert event["eventType"] == "Rendering Failure"
    assert event["failure"]["errorMessage"] == "Attribute 'text' is not present in the rendering data."


def test_one_bad_entry_does_not_harm_the_others(bench: Bench) -> None:
    bad_tag = entry("ana@example.com")
    bad_tag["ReplacementTags"] = [{"Name": "customer", "Value": "ana@example.com"}]
    bad_data = entry("ana@example.com")
    bad_data["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"] = "{"
    answer = bench.aws_client("sesv2").send_bulk_email(
        **bulk(
            bad_tag, bad_data, entry("no-address"), entry("josé@example.com"), entry("a@bücher.example"), entry("a@b.c")
        )
    )
    assert statuses(answer) == ["INVALID_PARAMETER"] * 5 + ["SUCCESS"]
    assert all(result["Error"] for result in answer["BulkEmailEntryResults"][:5])
    assert len(bench.log()) == 1


@pytest.mark.parametrize(
    "payload",
    [
        bulk(*[entry("a@b.c")] * 51),
        bulk(),
        bulk(entry("a@b.c"), DefaultEmailTags=[{"Name": "a.b", "Value": "x"}]),
        bulk(entry("a@b.c"), FromEmailAddress=""),
        bulk(entry("a@b.c") | {"ReplacementHeaders": [{"Name": "X-A", "Value": "1"}] * 16}),
        bulk(entry("a@b.c", text="x" * 262_144)),
    ],
)
def test_a_call_beyond_the_limits_is_refused_as_a_whole(bench: Bench, payload: dict[str, Any]) -> None:
    ses = bench.aws_client("sesv2")
    with pytest.raises(ses.exceptions.BadRequestException):
        ses.send_bulk_email(**payload)
    assert bench.log() == []


@pytest.mark.parametrize("sender", ["Salon <a@evil.example>", "a@notexample.com", "a@example.com.evil.example"])
def test_ses_sends_from_verified_identities_only(bench: Bench, sender: str) -> None:
    ses = bench.aws_client("sesv2")
    for send, payload in ((ses.send_bulk_email, bulk(entry("a@b.c"))), (ses.send_email, simple("a@b.c"))):
        with pytest.raises(ses.exceptions.MessageRejected, match="not verified"):
            send(**{**payload, "FromEmailAddress": sender})
        send(**{**payload, "FromEmailAddress": "a@mail.example.com"})

    assert len(bench.log()) == 2


def test_who_may_not_call_is_refused_by_all_three(bench: Bench) -> None:
    for provider in ("ses", "sns", "twilio"):
        bench.fault(provider, "deny")
    ses, sns = bench.aws_client("sesv2"), bench.aws_client("sns")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        ses.send_bulk_email(**bulk(entry("a@b.c")))
    with pytest.raises(ClientError, match="AuthorizationError"):
        sns.publish(PhoneNumber="+14155550123", Message="Hi")
    with pytest.raises(TwilioRestException, match="Permission denied"):
        bench.twilio().messages.create(to="+14155550123", from_="+15005550006", body="Hi")

    assert bench.log() == []


def test_templates_are_kept_nowhere(bench: Bench) -> None:
    ses = bench.aws_client("sesv2")
    named = {"Template": {"TemplateName": "welcome", "TemplateData": "{}"}}
    assert statuses(ses.send_bulk_email(**bulk(entry("a@b.c"), DefaultContent=named))) == ["TEMPLATE_NOT_FOUND"]
    with pytest.raises(ses.exceptions.NotFoundException):
        ses.send_email(**simple("a@b.c", Content=named))


def test_only_the_event_types_a_topic_asks_for_are_published(bench: Bench) -> None:
    bench.aws.set = ConfigurationSet((EventDestination(TOPIC, frozenset({"SEND", "COMPLAINT"})),))
    ses = bench.aws_client("sesv2")
    ses.send_email(**simple("complaint+1@simulator.amazonses.com"))
    ses.send_email(**simple("ana@example.com", ConfigurationSetName="unknown"))
    assert bench.settle()["failed"] == 0
    assert [event["eventType"] for event in bench.aws.events] == ["Send", "Complaint"]


def test_many_events_go_out_ten_at_a_time_and_survive_an_absence(bench: Bench) -> None:
    bench.aws.away = 2
    ses = bench.aws_client("sesv2")
    for start in range(0, 200, 50):
        ses.send_bulk_email(**bulk(*[entry(f"a{start + n}@example.com") for n in range(50)]))
    assert bench.settle()["failed"] == 0
    assert len({event["mail"]["messageId"] for event in bench.aws.events}) == 200
    assert max(bench.aws.batches) == 10


def test_the_suppression_list_decides_before_the_table(bench: Bench) -> None:
    ses = bench.aws_client("sesv2")
    with pytest.raises(ses.exceptions.NotFoundException):
        ses.get_suppressed_destination(EmailAddress="Ana+1@example.com")
    ses.put_suppressed_destination(EmailAddress="Ana+1@example.com", Reason="BOUNCE")
    found = ses.get_suppressed_destination(EmailAddress="Ana+1@example.com")["SuppressedDestination"]
    assert found["Reason"] == "BOUNCE"
    listed = ses.list_suppressed_destinations(Reasons=["BOUNCE"], PageSize=10)["SuppressedDestinationSummaries"]
    assert [item["EmailAddress"] for item in listed] == ["Ana+1@example.com"]
    ses.send_email(**simple("Ana+1@example.com"))
    bench.settle()
    assert bench.aws.events[0]["bounce"]["bounceSubType"] == "OnAccountSuppressionList"
    ses.delete_suppressed_destination(EmailAddress="Ana+1@example.com")
    with pytest.raises(ses.exceptions.NotFoundException):
        ses.delete_suppressed_destination(EmailAddress="Ana+1@example.com")
    ses.send_email(**simple("Ana+1@example.com"))
    bench.settle()
    assert bench.aws.events[1]["eventType"] == "Delivery"


def test_a_configuration_set_may_leave_bounces_to_us(bench: Bench) -> None:
    destinations = (EventDestination(TOPIC, WANTED),)
    bench.aws.set = ConfigurationSet(destinations, suppressed_reasons=frozenset({"COMPLAINT"}))
    ses = bench.aws_client("sesv2")
    for address, reason in (("a@example.com", "BOUNCE"), ("b@example.com", "COMPLAINT")):
        ses.put_suppressed_destination(EmailAddress=address, Reason=reason)
        ses.send_email(**simple(address))
    bench.settle()
    assert story(bench.aws.events, "a@example.com") == ["Delivery"]
    assert story(bench.aws.events, "b@example.com") == ["Complaint"]
    (event,) = [event for event in bench.aws.events if event["eventType"] == "Complaint"]
    assert event["complaint"]["complaintSubType"] == "OnAccountSuppressionList"


def test_the_account_tells_its_quota_and_unknown_calls_are_not_found(bench: Bench) -> None:
    ses = bench.aws_client("sesv2")
    ses.send_email(**simple("a@b.c"))
    assert ses.get_account()["SendQuota"]["SentLast24Hours"] == 1
    with pytest.raises(ClientError) as caught:
        ses.list_contact_lists()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_what_does_not_fit_into_the_days_quota_is_not_taken_until_it_is_renewed(bench: Bench) -> None:
    ses = bench.aws_client("sesv2")
    assert bench.quota(Max24HourSend=3, MaxSendRate=14) == {
        "Max24HourSend": 3,
        "MaxSendRate": 14,
        "SentLast24Hours": 0,
    }
    fits = statuses(ses.send_bulk_email(**bulk(*[entry(f"{name}@b.c") for name in "abcde"])))
    with pytest.raises(ses.exceptions.TooManyRequestsException, match="Daily message quota exceeded"):
        ses.send_email(**simple("f@b.c"))
    assert fits == ["SUCCESS"] * 3 + ["ACCOUNT_DAILY_QUOTA_EXCEEDED"] * 2
    assert ses.get_account()["SendQuota"]["SentLast24Hours"] == 3

    bench.quota(SentLast24Hours=0)
    ses.send_email(**simple("f@b.c"))
    assert len(bench.log()) == 4


SANDBOX = {"Max24HourSend": 200, "MaxSendRate": 1, "SentLast24Hours": 0, "ProductionAccessEnabled": False}


def test_in_the_sandbox_only_verified_addresses_and_the_simulator_are_written_to(bench: Bench) -> None:
    ses = bench.aws_client("sesv2")
    assert bench.quota(ProductionAccessEnabled=False) == SANDBOX
    everybody = ("ana@example.com", "ben@mail.example.com", "x@elsewhere.org", "bounce+1@simulator.amazonses.com")
    results = ses.send_bulk_email(**bulk(*map(entry, everybody)))["BulkEmailEntryResults"]
    with pytest.raises(ses.exceptions.MessageRejected, match=r"not verified.*US-EAST-1: x@elsewhere.org"):
        ses.send_email(**simple("x@elsewhere.org"))

    assert [result["Status"] for result in results] == ["SUCCESS", "SUCCESS", "MESSAGE_REJECTED", "SUCCESS"]
    assert results[2]["Error"].startswith("Email address is not verified.")
    assert ses.get_account()["ProductionAccessEnabled"] is False
    assert ses.get_account()["SendQuota"]["SentLast24Hours"] == 3


def test_in_the_sandbox_nobody_asks_for_the_suppression_list(bench: Bench) -> None:
    ses = bench.aws_client("sesv2")
    ses.put_suppressed_destination(EmailAddress="a@example.com", Reason="BOUNCE")
    bench.quota(ProductionAccessEnabled=False)
    for call, asked in (
        (ses.list_suppressed_destinations, {}),
        (ses.get_suppressed_destination, {"EmailAddress": "a@example.com"}),
        (ses.delete_suppressed_destination, {"EmailAddress": "a@example.com"}),
        (ses.put_suppressed_destination, {"EmailAddress": "b@example.com", "Reason": "BOUNCE"}),
    ):
        with pytest.raises(ses.exceptions.BadRequestException, match="sandbox"):
            call(**asked)

    assert bench.quota(ProductionAccessEnabled=True, Max24HourSend=9)["Max24HourSend"] == 9
    assert ses.get_suppressed_destination(EmailAddress="a@example.com")


def test_who_is_in_the_sandbox_may_have_another_quota_and_stays_there(bench: Bench) -> None:
    bench.quota(ProductionAccessEnabled=False)
    bench.quota(SentLast24Hours=200)
    assert bench.quota(ProductionAccessEnabled=False) == {**SANDBOX, "SentLast24Hours": 200}
    assert bench.ask("DELETE", "/quota")[1] == {
        "Max24HourSend": 5_000_000,
        "MaxSendRate": 5_000,
        "SentLast24Hours": 0,
    }


@pytest.mark.parametrize(
    "given",
    [
        {"ProductionAccessEnabled": 0},
        [],
        {"Max24HourSend": "much"},
        {"MaxSendRate": -1},
        {"SentLast24Hours": True},
        {"x": 1},
    ],
)
def test_a_quota_that_is_none_changes_nothing(bench: Bench, given: object) -> None:
    before = bench.ask("GET", "/quota")
    assert bench.ask("PUT", "/quota", given)[0] == 422
    assert bench.ask("GET", "/quota") == before


# Faults


def test_a_full_throttle_accepts_nothing(bench: Bench) -> None:
    bench.fault("ses", "throttle")
    ses = bench.aws_client("sesv2")
    seen = set()
    for _ in range(12):
        try:
            seen |= set(statuses(ses.send_bulk_email(**bulk(entry("a@b.c"), entry("b@b.c")))))
        except ses.exceptions.TooManyRequestsException:
            seen.add("call")
    assert seen == {"call", "ACCOUNT_THROTTLED"}
    assert bench.log() == []


def test_an_error_may_come_before_or_after_accepting(bench: Bench) -> None:
    bench.fault("ses", "error", seed=3)
    ses = bench.aws_client("sesv2")
    for _ in range(20):
        with pytest.raises(ClientError) as caught:
            ses.send_bulk_email(**bulk(entry("a@b.c")))
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        assert caught.value.response["Error"]["Code"] == "InternalServiceErrorException"
    bench.settle()
    accepted = len(bench.log())
    assert 0 < accepted < 20
    assert len(bench.aws.events) == accepted


def test_duplicated_and_dropped_callbacks(bench: Bench) -> None:
    ses = bench.aws_client("sesv2")
    bench.fault("ses", "duplicate")
    ses.send_email(**simple("a@b.c"))
    bench.settle()
    first, second = bench.aws.events
    assert first == second
    assert bench.ask("DELETE", "/faults")[1] == {"faults": []}
    bench.fault("ses", "drop_callbacks")
    ses.send_email(**simple("a@b.c"))
    bench.settle()
    assert len(bench.aws.events) == 2


def test_a_fault_request_that_is_wrong_says_what_is_allowed(bench: Bench) -> None:
    status, answer = bench.ask("POST", "/faults", {"provider": "fax", "kind": "delay", "rate": 1})
    assert status == 422
    assert answer["allowed"]["provider"] == ["ses", "twilio", "sns"]
    assert bench.ask("POST", "/nowhere", {})[0] == 404
    assert bench.ask("DELETE", "/log")[0] == 405
    assert bench.ask("GET", "/health")[1]["status"] == "ok"


# Twilio


def test_a_text_is_created_and_called_back_with_a_valid_signature(bench: Bench, receiver: Receiver) -> None:
    url = f"{receiver.origin}/v1/webhooks/twilio/status?b=b1&c=c1&m=m%201"
    message = bench.twilio().messages.create(
        to="+14155550123", from_="+15005550006", body="€" * 81, status_callback=f"{url}#rc=2&rp=ct,rt,5xx"
    )
    assert message.sid.startswith("SM")
    assert (message.status, message.num_segments, message.to) == ("queued", "2", "+14155550123")
    assert message.uri == f"/2010-04-01/Accounts/{SETTINGS.twilio_account_sid}/Messages/{message.sid}.json"
    bench.settle()
    assert [fields["MessageStatus"] for _, fields, _ in receiver.posts] == ["sent", "delivered"]
    validator = RequestValidator(SETTINGS.twilio_auth_token)
    for path, fields, headers in receiver.posts:
        assert path == url.removeprefix(receiver.origin)
        assert validator.validate(url, fields, headers["X-Twilio-Signature"])
        assert not validator.validate(url, fields | {"MessageStatus": "failed"}, headers["X-Twilio-Signature"])
        assert fields["MessageSid"] == fields["SmsSid"] == message.sid
        assert "ErrorCode" not in fields
    (line,) = bench.log()
    assert line["tags"] == {"b": "b1", "c": "c1", "m": "m 1"}
    assert line["content"] == {"body": "€" * 81}


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("+14155550127", ["delivered", "sent"]),
        ("+14155550128", ["sent", "delivered", "sent", "delivered"]),
        ("+15553000512", ["undelivered"]),
    ],
)
def test_the_number_decides_the_callbacks(bench: Bench, receiver: Receiver, number: str, told: list[str]) -> None:
    bench.twilio().messages.create(to=number, messaging_service_sid="MG1", body="Hi", status_callback=receiver.origin)
    bench.settle()
    fields = [fields for _, fields, _ in receiver.posts]
    assert [each["MessageStatus"] for each in fields] == told
    assert {each.get("ErrorCode") for each in fields} == ({"30005"} if told == ["undelivered"] else {None})
    assert {each["MessagingServiceSid"] for each in fields} == {"MG1"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "+15005550001"}, 21211),
        ({"to": "+15005550009"}, 21614),
        ({"to": "+15005550004"}, 21610),
        ({"to": "+15005550002"}, 21612),
        ({"to": "+15005550003"}, 21408),
        ({"to": ""}, 21604),
        ({"to": "soon"}, 21211),
        ({"from_": ""}, 21603),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"validity_period": 0}, 21624),
        ({"validity_period": 36_001}, 21624),
        ({"validity_period": "soon"}, 21624),
        ({"status_callback": "http://my_host/x"}, 21609),
        ({"from_": "+14155550100"}, 21606),
        ({"from_": None, "messaging_service_sid": "MG2"}, 21701),
    ],
)
def test_what_twilio_refuses(bench: Bench, fields: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as caught:
        bench.twilio().messages.create(**({"to": "+14155550123", "from_": "+15005550006", "body": "Hi"} | fields))
    assert (caught.value.code, caught.value.status) == (code, 400)
    assert bench.log() == []


def test_how_long_a_text_is_of_use_is_in_the_log(bench: Bench) -> None:
    for validity in (1, 36_000):
        bench.twilio().messages.create(to="+14155550123", from_="+15005550006", body="Hi", validity_period=validity)

    assert [line["content"]["validity_period"] for line in bench.log()] == ["1", "36000"]


def test_a_wrong_token_is_refused(bench: Bench) -> None:
    with pytest.raises(TwilioRestException) as caught:
        bench.twilio("wrong").messages.create(to="+14155550123", from_="+15005550006", body="Hi")
    assert (caught.value.code, caught.value.status) == (20003, 401)


def test_a_call_may_fail_after_the_text_went_out(bench: Bench, receiver: Receiver) -> None:
    with pytest.raises(TwilioRestException) as caught:
        bench.twilio().messages.create(
            to="+15552050001", from_="+15005550006", body="Hi", status_callback=receiver.origin
        )
    assert caught.value.status == 500
    bench.settle()
    assert [fields["MessageStatus"] for _, fields, _ in receiver.posts] == ["sent", "delivered"]
    assert len(bench.log()) == 1


def test_twilio_throttles_in_its_own_words(bench: Bench) -> None:
    bench.fault("twilio", "throttle")
    with pytest.raises(TwilioRestException) as caught:
        bench.twilio().messages.create(to="+14155550123", from_="+15005550006", body="Hi")
    assert (caught.value.code, caught.value.status) == (20429, 429)


@pytest.mark.parametrize(("fragment", "posts", "failed"), [("", 2, 1), ("#rc=2&rp=ct,rt,5xx", 3, 0)])
def test_a_refused_callback_is_tried_again_only_if_the_url_asks_for_it(
    bench: Bench, receiver: Receiver, fragment: str, posts: int, failed: int
) -> None:
    receiver.statuses = [503]
    bench.twilio().messages.create(
        to="+14155550123", from_="+15005550006", body="Hi", status_callback=receiver.origin + fragment
    )
    assert bench.settle()["failed"] == failed
    assert len(receiver.posts) == posts
    tokens = [headers["I-Twilio-Idempotency-Token"] for _, _, headers in receiver.posts]
    assert len(set(tokens)) == 2


# SNS


def test_an_sns_text_is_told_in_the_delivery_log(bench: Bench) -> None:
    sns = bench.aws_client("sns")
    attributes = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
    good = sns.publish(PhoneNumber="+14155550123", Message="Hi & <you>", MessageAttributes=attributes)["MessageId"]
    bad = sns.publish(PhoneNumber="+15005550001", Message="á" * 71)["MessageId"]
    bench.settle()
    group = "sns/us-east-1/000000000000/DirectPublishToPhoneNumber"
    (success,), (failure,) = bench.aws.logs[group], bench.aws.logs[f"{group}/Failure"]
    assert success["status"] == "SUCCESS"
    assert success["notification"]["messageId"] == good
    assert success["delivery"]["smsType"] == "Transactional"
    assert failure["status"] == "FAILURE"
    assert failure["notification"]["messageId"] == bad
    assert failure["delivery"]["providerResponse"] == "Invalid phone number"
    assert (success["delivery"]["numberOfMessageParts"], failure["delivery"]["numberOfMessageParts"]) == (1, 2)
    assert [line["content"] for line in bench.log()] == [{"body": "Hi & <you>"}, {"body": "á" * 71}]


@pytest.mark.parametrize(("number", "message"), [("0123", "Hi"), ("+14155550123", ""), ("+14155550123", "x" * 1601)])
def test_what_sns_refuses(bench: Bench, number: str, message: str) -> None:
    sns = bench.aws_client("sns")
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.publish(PhoneNumber=number, Message=message)


def test_sns_may_fail_after_the_text_went_out(bench: Bench) -> None:
    with pytest.raises(ClientError) as caught:
        bench.aws_client("sns").publish(PhoneNumber="+15552050001", Message="Hi")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    bench.settle()
    assert len(bench.aws.logs["sns/us-east-1/000000000000/DirectPublishToPhoneNumber"]) == 1


# The whole


def test_the_same_seed_and_sends_tell_the_same_story() -> None:
    def tell(seed: int) -> list[tuple[str, str]]:
        with running(replace(SETTINGS, seed=seed, delay_seconds=0.0)) as bench:
            bench.fault("ses", "throttle", 0.3, seed=5)
            ses = bench.aws_client("sesv2")
            for n in range(5):
                with contextlib.suppress(ClientError):
                    ses.send_bulk_email(**bulk(*[entry(f"a{n}{m}@example.com") for m in range(5)]))
            bench.aws_client("sns").publish(PhoneNumber="+14155550123", Message="Hi")
            return [(line["to"], line["id"]) for line in bench.log()]

    assert tell(1) == tell(1)
    assert tell(1) != tell(2)


def test_the_program_says_where_it_is_and_stops_when_asked() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "local.twin", "--port", "0", "--seed", "4", "--aws-endpoint-url", "http://127.0.0.1:9"],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        words = program.stdout.readline().replace(",", "").split()
        try:
            with urllib.request.urlopen(f"{words[1]}/health", timeout=5) as response:
                assert json.load(response)["status"] == "ok"
        finally:
            program.terminate()
        output, errors = program.communicate(timeout=10)
    assert (program.returncode, output, errors) == (0, "", "")
    assert words[-2:] == ["seed", "4"]


def test_no_callback_is_lost_among_many_senders(bench: Bench) -> None:
    def send(worker: int) -> None:
        ses = bench.aws_client("sesv2")
        for n in range(5):
            ses.send_bulk_email(**bulk(*[entry(f"w{worker}n{n}m{m}@example.com") for m in range(20)]))

    workers = [threading.Thread(target=send, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    bench.settle()
    told = [event["mail"]["destination"][0] for event in bench.aws.events]
    assert len(told) == len(set(told)) == 400
    assert sorted(line["to"] for line in bench.log()) == sorted(told)


# Texts from phones

STOP: dict[str, str] = {"from": "+14155550123", "to": "+14155550100", "body": "Stop ✋"}


def test_a_text_is_handed_to_the_webhook_signed_and_its_answer_read(bench: Bench, receiver: Receiver) -> None:
    receiver.answer = b'<?xml version="1.0"?><Response><Message>Juniper &amp; Vale: bye</Message></Response>'
    receiver.statuses = [200, 200]
    webhook = f"{receiver.origin}/live/v1/webhooks/twilio/inbound"
    assert bench.ask("PUT", "/inbound", {"webhook": f"{webhook}#rc=2"}) == (200, {"webhook": webhook})
    status, told = bench.ask("POST", "/inbound", {**STOP, "opt_out_type": "STOP", "messaging_service_sid": "MG1"})
    (path, fields, headers) = receiver.posts[0]

    assert (status, told["status"], told["answer"]) == (200, 200, "Juniper & Vale: bye")
    assert path == "/live/v1/webhooks/twilio/inbound"
    assert fields["MessageSid"] == fields["SmsSid"] == told["sid"]
    assert (fields["From"], fields["To"], fields["Body"]) == ("+14155550123", "+14155550100", "Stop ✋")
    assert (fields["OptOutType"], fields["MessagingServiceSid"], fields["FromZip"]) == ("STOP", "MG1", "")
    assert RequestValidator(SETTINGS.twilio_auth_token).validate(webhook, fields, headers["X-Twilio-Signature"])
    receiver.answer = b"<Response/>"
    _, silent = bench.ask("POST", "/inbound", STOP)
    assert (silent["answer"], silent["sid"] != told["sid"]) == (None, True)
    assert "OptOutType" not in receiver.posts[1][1]


def test_what_a_webhook_refuses_is_told(bench: Bench, receiver: Receiver) -> None:
    receiver.statuses = [403, 204]
    bench.ask("PUT", "/inbound", {"webhook": receiver.origin})
    assert [bench.ask("POST", "/inbound", STOP)[1]["status"] for _ in range(2)] == [403, 204]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("text", 422),
        ({"from": "+1"}, 422),
        ({**STOP, "opt_out_type": "SNOOZE"}, 422),
        ({**STOP, "body": 1}, 422),
        ({**STOP, "more": "1"}, 422),
        (STOP, 409),
    ],
)
def test_what_is_no_text_or_has_nowhere_to_go_is_refused(bench: Bench, asked: Any, status: int) -> None:
    assert bench.ask("POST", "/inbound", asked)[0] == status
    assert bench.ask("PUT", "/inbound", {"webhook": "nowhere"})[0] == 422


def test_a_webhook_that_is_gone_is_told(bench: Bench) -> None:
    bench.ask("PUT", "/inbound", {"webhook": "http://127.0.0.1:1/"})
    assert bench.ask("POST", "/inbound", STOP)[0] == 502
