"""The providers: what their answers mean, the fakes' and the real ones'."""

import json
import re
from collections.abc import Mapping, Sequence
from copy import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, ReadTimeout
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError

from local.twin.service_model import violations
from rebound.kernel.provider_codes import FailureClass, Provider, look_up
from rebound.rates.domain import Throttled
from rebound.sending.adapters import twilio_texter
from rebound.sending.adapters.ses_mailer import SesMailer
from rebound.sending.adapters.sns_texter import SnsTexter
from rebound.sending.adapters.twilio_texter import TwilioTexter
from rebound.sending.domain.recipients import ACCESS_DENIED, Accepted, OutgoingEmail, Refused, SendResult, Unknown
from rebound.sending.ports import Mailer, Texter
from rebound.templates.domain.rendering import MAX_EMAIL_CHARACTERS, RenderedEmail, as_data, size_of
from tests.contract.sending.fakes import (
    ScriptedMailer,
    ScriptedTexter,
)
from tests.fakes.aws import REPOSITORY, fake_aws, make
from tests.fakes.making import BUSINESS_ID, id_of, message_key

EVENTS: Final = REPOSITORY / "events"


def email(number: int = 1, **headers: str) -> OutgoingEmail:
    return OutgoingEmail(
        message_key(number), f"ana{number}@example.com", RenderedEmail("Hi é", "<p>{{x}}</p>", "t"), headers
    )


class Ses:
    """An SES v2 client that answers once by script, and what it was called with."""

    def __init__(
        self,
        *statuses: str,
        said: str | None = None,
        error: tuple[str, int, str] | None = None,
        broken: Exception | None = None,
    ) -> None:
        self.client = make("sesv2")
        self.calls: list[Mapping[str, Any]] = []
        self._stub = Stubber(self.client)
        register = self.client.meta.events.register
        register("provide-client-params.sesv2.SendBulkEmail", lambda params, **_: self.calls.append(params))
        if broken is not None:

            def fail(**_: Any) -> None:
                raise broken

            register("before-call.sesv2.SendBulkEmail", fail)
            return
        if error is not None:
            code, status, message = error
            self._stub.add_client_error("send_bulk_email", code, message, http_status_code=status)
        else:
            results = [
                {
                    "Status": s,
                    **({"MessageId": f"id-{n}"} if s == "SUCCESS" else {}),
                    **({"Error": said} if said else {}),
                }
                for n, s in enumerate(statuses)
            ]
            self._stub.add_response("send_bulk_email", {"BulkEmailEntryResults": results})
        self._stub.activate()

    def send(self, *emails: OutgoingEmail, reply_to: str | None = None) -> Sequence[SendResult]:
        mailer: Mailer = SesMailer(self.client, "events")
        return mailer.send("hello@juniper.example.com", emails, reply_to)


def test_each_email_has_a_result_of_its_own_in_order() -> None:
    statuses = (
        "SUCCESS",
        "ACCOUNT_THROTTLED",
        "MESSAGE_REJECTED",
        "ACCOUNT_DAILY_QUOTA_EXCEEDED",
        "TRANSIENT_FAILURE",
        "FAILED",
    )
    with fake_aws():
        results = Ses(*statuses).send(*(email(n) for n in range(6)))

    assert results[0] == Accepted("id-0")
    assert [type(result) for result in results[1:]] == [Throttled, Refused, Throttled, Throttled, Refused]
    assert [result.daily for result in results if isinstance(result, Throttled)] == [False, True, False]
    assert isinstance(results[2], Refused)
    assert results[2].code == "MESSAGE_REJECTED"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("Email address is not verified. The following identities failed the check: x@y.z", "RECIPIENT_NOT_VERIFIED"),
        ("Spam", "MESSAGE_REJECTED"),
        (None, "MESSAGE_REJECTED"),
    ],
)
def test_a_recipient_who_must_be_verified_first_is_told_from_content_that_is_refused(
    error: str | None, code: str
) -> None:
    with fake_aws():
        results = Ses("MESSAGE_REJECTED", said=error).send(email(0))

    assert results == [Refused(code, error)]


def test_an_email_carries_its_key_as_tags_and_its_content_as_data_that_ses_only_puts_in_place() -> None:
    with fake_aws():
        ses = Ses("SUCCESS")
        ses.send(email(1, **{"List-Unsubscribe": "<https://x>"}))
    (call,) = ses.calls
    (entry,) = call["BulkEmailEntries"]
    template = entry["ReplacementEmailContent"]["ReplacementTemplate"]

    assert {tag["Name"]: tag["Value"] for tag in entry["ReplacementTags"]} == {
        "business_id": BUSINESS_ID,
        "customer_id": id_of(1),
        "message_id": message_key(1).message_id,
    }
    assert all(re.fullmatch("[A-Za-z0-9_-]{1,256}", tag["Value"]) for tag in entry["ReplacementTags"])
    assert json.loads(template["ReplacementTemplateData"]) == {"subject": "Hi é", "html": "<p>{{x}}</p>", "text": "t"}
    default = call["DefaultContent"]["Template"]
    # Three braces put a value in as it stands; each part has a place of its own, and each place a value.
    assert default["TemplateContent"] == {"Subject": "{{{subject}}}", "Html": "{{{html}}}", "Text": "{{{text}}}"}
    assert json.loads(default["TemplateData"]) == {"subject": "", "html": "", "text": ""}
    assert entry["Destination"] == {"ToAddresses": ["ana1@example.com"]}
    assert entry["ReplacementHeaders"] == [{"Name": "List-Unsubscribe", "Value": "<https://x>"}]
    assert (call["FromEmailAddress"], call["ConfigurationSetName"]) == ("hello@juniper.example.com", "events")


@pytest.mark.parametrize(
    ("reply_to", "sent"), [(None, None), ("desk@juniper.example.com", ["desk@juniper.example.com"])]
)
def test_answers_go_where_the_business_wants_them(reply_to: str | None, sent: list[str] | None) -> None:
    with fake_aws():
        ses = Ses("SUCCESS")
        ses.send(email(1), reply_to=reply_to)
    [call] = ses.calls

    assert call.get("ReplyToAddresses") == sent
    assert violations("sesv2", "SendBulkEmail", call) == []


def test_an_email_of_umlauts_is_as_long_for_ses_as_it_reads_and_one_too_long_is_refused_alone() -> None:
    umlauts = "ä" * 130_000
    fits = replace(email(1), content=RenderedEmail("Grüße 🎉", umlauts, umlauts))
    too_long = replace(email(2), content=RenderedEmail("Grüße", umlauts + "x" * 3000, umlauts))
    with fake_aws():
        ses = Ses("SUCCESS", "SUCCESS")
        results = ses.send(fits, too_long, email(3))
        [call] = ses.calls
        alone = Ses().send(too_long)

    assert [type(result) for result in results] == [Accepted, Refused, Accepted]
    assert [type(result) for result in alone] == [Refused]
    assert violations("sesv2", "SendBulkEmail", call) == []


def test_an_email_of_exactly_the_size_that_ses_takes_is_sent_and_one_more_letter_is_refused() -> None:
    empty = size_of(as_data(RenderedEmail("", "", "")))
    exact = replace(email(1), content=RenderedEmail("", "x" * (MAX_EMAIL_CHARACTERS - empty), ""))
    longer = replace(email(2), content=RenderedEmail("", "x" * (MAX_EMAIL_CHARACTERS - empty), "x"))
    with fake_aws():
        results = Ses("SUCCESS").send(exact, longer)

    assert [type(result) for result in results] == [Accepted, Refused]


def test_a_refusal_keeps_what_ses_said_of_it() -> None:
    with fake_aws():
        results = Ses("MESSAGE_REJECTED", "FAILED", said="Virus found").send(email(1), email(2))

    assert results == [Refused("MESSAGE_REJECTED", "Virus found"), Refused("FAILED", "Virus found")]


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (("TooManyRequestsException", 429, "Maximum sending rate exceeded."), Throttled("ACCOUNT_THROTTLED")),
        (
            ("TooManyRequestsException", 429, "Daily message quota exceeded."),
            Throttled("ACCOUNT_DAILY_QUOTA_EXCEEDED", daily=True),
        ),
        (("SendingPausedException", 400, "paused"), Refused("ACCOUNT_SENDING_PAUSED", "paused")),
        (("AccountSuspendedException", 400, "x"), Refused("ACCOUNT_SUSPENDED", "x")),
        (("NotFoundException", 404, "x"), Refused("CONFIGURATION_SET_NOT_FOUND", "x")),
        (("BadRequestException", 400, "x"), Refused("INVALID_PARAMETER", "x")),
        (("AccessDeniedException", 403, "x"), Refused("ACCESS_DENIED", "x")),
        (("SomethingNew", 400, "said"), Refused("SomethingNew", "said")),
        (("ExpiredTokenException", 403, "x"), Throttled("ExpiredTokenException")),
        (("MessageRejected", 400, "Spam"), Refused("MESSAGE_REJECTED", "Spam")),
        (
            ("MessageRejected", 400, "Email address is not verified. The following identities failed: a@b.c"),
            Refused(
                "MAIL_FROM_DOMAIN_NOT_VERIFIED", "Email address is not verified. The following identities failed: a@b.c"
            ),
        ),
        (("InternalServiceErrorException", 500, "x"), Unknown("InternalServiceErrorException")),
        (("ServiceUnavailable", 503, "x"), Unknown("ServiceUnavailable")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_an_error_of_the_call_is_the_result_of_every_email(error: tuple[str, int, str], result: SendResult) -> None:
    with fake_aws():
        assert list(Ses(error=error).send(email(1), email(2))) == [result, result]


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (ReadTimeoutError(endpoint_url="x"), Unknown),
        (EndpointConnectionError(endpoint_url="x"), Throttled),
        (ConnectTimeoutError(endpoint_url="x"), Throttled),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_a_connection_that_was_never_made_is_tried_again(broken: Exception, kind: type[SendResult]) -> None:
    with fake_aws():
        assert {type(result) for result in Ses(broken=broken).send(email(1), email(2))} == {kind}


@pytest.mark.parametrize("mailer", ["ses", "scripted"])
def test_a_call_takes_fifty_emails(mailer: str) -> None:
    fifty_one = [email(n) for n in range(51)]
    with fake_aws(), pytest.raises(ValueError, match="50"):
        (Ses().send(*fifty_one) if mailer == "ses" else ScriptedMailer().send("x", fifty_one))


class TwilioHttp(HttpClient):  # type: ignore[misc]  # twilio has no types
    """Answers every request with one response, or breaks."""

    def __init__(self, status: int = 201, body: object = None, broken: Exception | None = None) -> None:
        self._answer = (status, body)
        self._broken = broken
        self.calls: list[Mapping[str, Any]] = []
        self.urls: list[str] = []

    def request(
        self,
        method: str,
        url: str,
        params: object = None,
        data: object = None,
        headers: object = None,
        auth: object = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        assert isinstance(data, dict)
        self.calls.append(data)
        self.urls.append(url)
        if self._broken is not None:
            raise self._broken
        status, body = self._answer
        return Response(status, body if isinstance(body, str) else json.dumps(body))


def twilio(http: TwilioHttp) -> TwilioTexter:
    return TwilioTexter(Client("AC" + "0" * 32, "token", http_client=http), "https://api.example.com/live")


def recorded(name: str) -> tuple[int, object]:
    """A recorded answer of Twilio to a create."""
    answer = json.loads((EVENTS / "twilio" / f"create_{name}.json").read_text(encoding="utf-8"))
    return answer["status"], answer["body"]


def text(texter: Texter, sender: str | None = "+14155550100") -> SendResult:
    return texter.send(sender, message_key(), "+14155550123", "Hi é")


@pytest.mark.parametrize(
    ("said", "segments"),
    [("3", 3), ("0", 0), (2, 2), ("", None), (None, None), ("many", None), ("-1", None), ("²", None)],
)
def test_twilio_says_how_many_segments_a_text_has_or_does_not(said: object, segments: int | None) -> None:
    status, body = recorded("accepted")
    assert isinstance(body, dict)
    result = text(twilio(TwilioHttp(status, {**body, "num_segments": said})))

    assert result == Accepted("SM1342fe1b2c904d1ab04f0fc7a58abca9", segments=segments)


def test_a_text_that_twilio_takes_has_twilios_id_and_asks_for_callbacks_with_its_key() -> None:
    http = TwilioHttp(*recorded("accepted"))
    result = text(twilio(http))
    (form,) = http.calls

    assert result == Accepted("SM1342fe1b2c904d1ab04f0fc7a58abca9", segments=1)
    assert (form["To"], form["From"], form["Body"]) == ("+14155550123", "+14155550100", "Hi é")
    assert "MessagingServiceSid" not in form
    assert form["StatusCallback"].endswith("#rc=2&rp=all")
    assert f"b={BUSINESS_ID}&c={id_of(1)}&m={message_key().message_id}" in form["StatusCallback"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, None), (0.2, 1), (1.9, 1), (3600, 3600), (35_999.5, 35_999), (36_000, None), (10**6, None)],
)
def test_twilio_is_told_how_long_a_text_is_of_use_within_what_it_can_be_told(
    seconds: float | None, told: int | None
) -> None:
    http = TwilioHttp(*recorded("accepted"))
    valid_for = None if seconds is None else timedelta(seconds=seconds)
    twilio(http).send("+14155550100", message_key(), "+14155550123", "Hi é", valid_for)

    assert http.calls[0].get("ValidityPeriod") == told


def test_a_messaging_service_is_named_as_one() -> None:
    http = TwilioHttp(*recorded("accepted"))
    service = "MG" + "a" * 32
    text(twilio(http), service)

    assert http.calls[0]["MessagingServiceSid"] == service
    assert "From" not in http.calls[0]


CREATE_ERRORS: Final = (20003, 20429, 20500, 21211, 21408, 21610, 21612, 21614)


@pytest.mark.parametrize("code", CREATE_ERRORS)
def test_twilios_errors_say_whether_a_text_can_have_gone_out(code: int) -> None:
    result = text(twilio(TwilioHttp(*recorded(f"error_{code}"))))
    kinds: dict[int, type[SendResult]] = {20429: Throttled, 20500: Unknown}

    assert type(result) is kinds.get(code, Refused)
    if isinstance(result, Refused | Throttled):
        assert result.code == str(code)


@pytest.mark.parametrize(("status", "kind"), [(428, Refused), (429, Throttled), (430, Refused)])
def test_too_many_requests_are_told_by_their_status_alone(status: int, kind: type[SendResult]) -> None:
    result = text(twilio(TwilioHttp(status, {"code": None, "message": "x", "status": status})))

    assert type(result) is kind
    if isinstance(result, Throttled):
        assert result.code == "20429"


def test_twilio_is_waited_for_as_long_as_the_sender_counts_with() -> None:
    client = twilio_texter.connect("AC" + "0" * 32, "token", "http://127.0.0.1:1")

    assert client.http_client.timeout == 10
    assert client.http_client.session.get_adapter("https://").max_retries.total == 0
    assert client.api.base_url == "http://127.0.0.1:1"


@pytest.mark.parametrize(("code", "kind"), [(21611, Throttled), (30001, Throttled), (99999, Refused), (None, Refused)])
def test_a_refusal_is_final_unless_the_table_says_that_it_passes(code: int | None, kind: type[SendResult]) -> None:
    body = {"code": code, "message": "words", "more_info": "https://x", "status": 400}

    assert type(text(twilio(TwilioHttp(400, body)))) is kind


def test_an_error_that_is_not_json_is_unknown_from_a_server_that_failed() -> None:
    assert isinstance(text(twilio(TwilioHttp(502, "<html>Bad gateway</html>"))), Unknown)


def unreachable() -> RequestsConnectionError:
    pool = HTTPConnectionPool("api.twilio.com")
    return RequestsConnectionError(MaxRetryError(pool, "/", NewConnectionError(pool, "refused")))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (ReadTimeout(), Unknown),
        (ConnectTimeout(), Throttled),
        (RequestsConnectionError("reset"), Unknown),
        (unreachable(), Throttled),
    ],
    ids=["read timeout", "connect timeout", "reset", "refused"],
)
def test_a_text_is_tried_again_only_when_no_connection_was_made(broken: Exception, kind: type[SendResult]) -> None:
    http = TwilioHttp(broken=broken)

    assert type(text(twilio(http))) is kind
    assert len(http.calls) == 1


class Sns:
    """An SNS client that answers once by script."""

    def __init__(self, error: tuple[str, int] | None = None) -> None:
        self.client = make("sns")
        self.calls: list[Mapping[str, Any]] = []
        stub = Stubber(self.client)
        self.client.meta.events.register(
            "provide-client-params.sns.Publish", lambda params, **_: self.calls.append(params)
        )
        if error is None:
            stub.add_response("publish", {"MessageId": "sns-1"})
        else:
            stub.add_client_error("publish", error[0], "words", http_status_code=error[1])
        stub.activate()


@pytest.mark.parametrize("sender", ["72345", "Juniper", "MG Salon"])
def test_a_short_code_and_a_name_are_handed_to_twilio_as_they_are(sender: str) -> None:
    http = TwilioHttp(*recorded("accepted"))
    text(twilio(http), sender)
    (form,) = http.calls

    assert form["From"] == sender
    assert "MessagingServiceSid" not in form


def test_a_text_that_sns_takes_has_the_id_of_sns() -> None:
    with fake_aws():
        sns = Sns()
        assert text(SnsTexter(sns.client)) == Accepted("sns-1")
        (call,) = sns.calls
        assert (call["PhoneNumber"], call["Message"]) == ("+14155550123", "Hi é")
        assert call["MessageAttributes"] == {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
            "AWS.MM.SMS.OriginationNumber": {"DataType": "String", "StringValue": "+14155550100"},
        }
        named = Sns()
        text(SnsTexter(named.client), "Juniper")
        assert named.calls[0]["MessageAttributes"] == {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
            "AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": "Juniper"},
        }
        without = Sns()
        text(SnsTexter(without.client), None)
        assert "AWS.MM.SMS.OriginationNumber" not in without.calls[0]["MessageAttributes"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (("InvalidParameter", 400), Refused),
        (("OptedOut", 400), Refused),
        (("AuthorizationError", 403), Refused),
        (("ExpiredToken", 403), Throttled),
        (("Throttled", 429), Throttled),
        (("ThrottledException", 400), Throttled),
        (("ThrottlingException", 400), Throttled),
        (("Throttling", 400), Throttled),
        (("InternalError", 500), Unknown),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_sns_errors_say_whether_a_text_can_have_gone_out(error: tuple[str, int], kind: type[SendResult]) -> None:
    with fake_aws():
        result = text(SnsTexter(Sns(error).client))
    assert type(result) is kind
    if isinstance(result, Refused):
        # The code is SNS's own, or the one of the table; the words are what SNS said.
        assert result.detail == "words"
        assert result.code in {error[0], "Phone number is opted out", ACCESS_DENIED}
    elif isinstance(result, Throttled):
        assert result.code in {error[0], "Rate exceeded"}
        assert look_up(Provider.SNS, "Rate exceeded").failure_class is FailureClass.TRANSIENT


@pytest.mark.parametrize("broken", [EndpointConnectionError(endpoint_url="x"), ConnectTimeoutError(endpoint_url="x")])
def test_sns_that_was_never_reached_is_tried_again_as_when_it_is_busy(broken: Exception) -> None:
    def fail(**_: Any) -> None:
        raise broken

    with fake_aws():
        client = make("sns")
        client.meta.events.register("before-call.sns.Publish", fail)
        assert text(SnsTexter(client)) == Throttled("Rate exceeded")


@pytest.mark.parametrize("provider", [Provider.TWILIO, Provider.SNS])
def test_a_texter_says_who_carries_its_texts(provider: Provider) -> None:
    with fake_aws():
        real: Texter = twilio(TwilioHttp()) if provider is Provider.TWILIO else SnsTexter(make("sns"))

    assert real.provider is ScriptedTexter(provider).provider is provider


def test_the_scripted_providers_answer_by_address_and_count_what_went_out() -> None:
    mailer, texter = ScriptedMailer(), ScriptedTexter()
    mailer.answer("ana1@example.com", Unknown("x"), Throttled("y"), went_out=True)
    results = mailer.send("s", [email(1), email(2)])

    assert [type(result) for result in results] == [Unknown, Accepted]
    assert mailer.went_out == {message_key(1): 1, message_key(2): 1}
    assert isinstance(text(texter), Accepted)
