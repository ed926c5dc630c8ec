"""Every bad request has a clear answer below 500 and changes nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import pytest

from tests.e2e.rebound_api import CONTENT, EVERYBODY, Answer, Json, ReboundApi, few_at_once
from tests.e2e.surroundings import Calm, Operator

MEGABYTE: Final = 1024 * 1024
FORM: Final = "application/x-www-form-urlencoded"
ANA: Final = {"first_name": "Ana", "last_name": "Silva"}
CAMPAIGN: Final[Json] = {
    "name": "Offer",
    "category": "marketing",
    "channel": "email",
    "filter": EVERYBODY,
    "content": CONTENT["email"],
}
TEXT_CAMPAIGN: Final[Json] = CAMPAIGN | {"channel": "sms", "content": CONTENT["sms"]}
PREVIEW: Final[Json] = {"filter": EVERYBODY, "channel": "email", "category": "marketing"}
MALFORMED: Final = (400,)
INVALID: Final = (422,)


@dataclass(frozen=True, slots=True)
class Bad:
    """A request and the statuses that say rightly what is wrong with it; ``wrong`` must be among its errors' fields.

    In a path, ``{customer}`` and the like stand for something that there is.
    """

    what: str
    method: str
    path: str
    body: object = None
    expected: tuple[int, ...] = INVALID
    wrong: str | None = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def _customer(what: str, name: str, value: object) -> Bad:
    return Bad(f"customer: {what}", "POST", "/v1/customers", ANA | {name: value}, wrong=name)


def _change(what: str, name: str, value: object) -> Bad:
    return Bad(f"change of a customer: {what}", "PATCH", "/v1/customers/{customer}", {name: value}, wrong=name)


def _business(what: str, name: str, value: object) -> Bad:
    return Bad(f"business: {what}", "PATCH", "/v1/business", {name: value}, wrong=name)


def _raw(what: str, raw: bytes, *expected: int, path: str = "/v1/customers", **headers: str) -> Bad:
    return Bad(what, "POST", path, expected=expected or MALFORMED, raw=raw, headers=headers)


def _filter(what: str, tree: object) -> Bad:
    return Bad(f"filter: {what}", "PUT", "/v1/segments/bad", {"name": "Bad", "filter": tree})


def _campaign(what: str, changes: Json, wrong: str | None = None, without: str = "") -> Bad:
    body = {name: value for name, value in (CAMPAIGN | changes).items() if name != without}
    return Bad(f"campaign: {what}", "POST", "/v1/campaigns", body, wrong=wrong)


def _deep(levels: int) -> Json:
    tree: Json = {"tag": "vip"}
    for _ in range(levels):
        tree = {"not": tree}
    return tree


REQUESTS: Final = (
    # Bodies that are no JSON object
    _raw("no JSON", b"{"),
    _raw("no body at all", b"", 400, 422),
    _raw("a list", b"[]", 400, 422),
    _raw("a text", b'"Ana"', 400, 422),
    _raw("null", b"null", 400, 422),
    _raw("NaN", b'{"first_name": NaN, "last_name": "Silva"}', 400, 422),
    _raw("too deep", b'{"first_name": ' + b"[" * 5000 + b"]" * 5000 + b', "last_name": "Silva"}', 400, 422),
    _raw("a form", b"first_name=Ana&last_name=Silva", 400, 415, **{"Content-Type": FORM}),
    _raw("a campaign that is no JSON", b"{'name': 'x'}", path="/v1/campaigns"),
    _raw("1 MB for a customer", json.dumps(ANA | {"gender": "x" * MEGABYTE}).encode(), 413),
    _raw("1 MB for a campaign", json.dumps(CAMPAIGN | {"name": "x" * MEGABYTE}).encode(), 413, path="/v1/campaigns"),
    _raw("1 MB of no JSON", b"x" * MEGABYTE, 413, path="/v1/messages"),
    _raw(
        "an import beyond the gateway's limit",
        json.dumps({"format": "csv", "content": "x" * 6 * MEGABYTE}).encode(),
        413,
        path="/v1/imports",
    ),
    # Customers
    Bad("customer: nothing given", "POST", "/v1/customers", {}, wrong="first_name"),
    Bad("customer: no last name", "POST", "/v1/customers", {"first_name": "Ana"}, wrong="last_name"),
    _customer("an empty name", "first_name", " "),
    _customer("a name that is a number", "first_name", 7),
    _customer("a name that is null", "last_name", None),
    _customer("a name that is a list", "last_name", ["Silva"]),
    _customer("a name with a line break", "first_name", "Ana\r\nBcc: all@example.com"),
    Bad("customer: half of a surrogate pair", "POST", "/v1/customers", ANA | {"first_name": "\ud800"}, (400, 422)),
    _customer("a name as long as a book", "last_name", "x" * 10_000),
    _customer("a field that there is not", "shoe_size", 38),
    _customer("an id of one's own", "customer_id", "a" * 32),
    _customer("contacts set by hand", "contacts", {"email": {"invalid": False}}),
    _customer("an email without @", "email", "ana.example.com"),
    _customer("an email with two @", "email", "ana@silva@example.com"),
    _customer("an email without a domain", "email", "ana@"),
    _customer("an email with a line break", "email", "ana@example.com\r\nBcc: all@example.com"),
    _customer("an email with a NUL", "email", "ana\x00@example.com"),
    _customer("an email with a tab", "email", "ana\t@example.com"),
    _customer("an email with an invisible character", "email", "ana\u200b@example.com"),
    _customer("an email that is too long", "email", "a" * 250 + "@example.com"),
    _customer("an email with a name", "email", "Ana <ana@example.com>"),
    _customer("two emails", "email", "ana@example.com,bo@example.com"),
    _customer("an email outside ASCII before the @", "email", "añá@example.com"),
    _customer("an email that is a number", "email", 1),
    _customer("a number that is too short", "mobile_phone", "12"),
    _customer("a number that is too long", "mobile_phone", "+1415555012345678901"),
    _customer("a number that is words", "mobile_phone", "call me"),
    _customer("a number of a country that there is not", "mobile_phone", "+999 415 555 0123"),
    _customer("a number with a control character", "mobile_phone", "+1415555\n0123"),
    _customer("a number that is a number", "mobile_phone", 14155550123),
    _customer("a day phone that is too short", "day_phone", "1"),
    _customer("a time zone that there is not", "time_zone", "Mars/Olympus"),
    _customer("a time zone that is a path", "time_zone", "../../etc/passwd"),
    _customer("a day that there is not", "birthday", "2026-02-30"),
    _customer("a date in words", "customer_since", "yesterday"),
    _customer("tags that are a text", "general_tags", "vip"),
    Bad("customer: tags of numbers", "POST", "/v1/customers", ANA | {"general_tags": [1]}),
    _customer("a tag with a line break", "general_tags", ["vi\np"]),
    _customer("a tag that is too long", "general_tags", ["x" * 1000]),
    _customer("too many tags", "general_tags", [f"tag{number}" for number in range(1000)]),
    _change("no first name", "first_name", None),
    _change("an empty last name", "last_name", ""),
    _change("a bad email", "email", "ana@@example.com"),
    _change("a bad number", "mobile_phone", "abc"),
    _change("a field that there is not", "points", 3),
    Bad("customer: external id taken", "POST", "/v1/customers", ANA | {"external_id": "taken"}, (409,)),
    Bad("customer: not there", "GET", "/v1/customers/" + "0" * 32, expected=(404,)),
    Bad("customer: an id of another form", "GET", "/v1/customers/nobody", expected=(404,)),
    Bad("customer: an id with a NUL", "GET", "/v1/customers/%00", expected=(400, 404)),
    Bad("customer: an id as long as a book", "GET", "/v1/customers/" + "a" * 3000, expected=(400, 404, 414)),
    Bad("customer: an id that climbs", "GET", "/v1/customers/..%2Fbusiness", expected=(400, 404)),
    Bad("segment: an id as long as a book", "GET", "/v1/segments/" + "a" * 3000, expected=(400, 404, 414)),
    Bad("campaign: an id as long as a book", "GET", "/v1/campaigns/" + "a" * 3000, expected=(400, 404, 414)),
    Bad("messages: an id as long as a book", "GET", f"/v1/campaigns/{'a' * 3000}/messages", expected=(400, 404, 414)),
    Bad("import: an id as long as a book", "GET", "/v1/imports/" + "a" * 3000, expected=(400, 404, 414)),
    Bad("change of a customer: not there", "PATCH", "/v1/customers/" + "0" * 32, {"gender": "f"}, (404,)),
    Bad("removal: not there", "DELETE", "/v1/customers/" + "0" * 32, expected=(404,)),
    Bad("confirm: no such channel", "POST", "/v1/customers/{customer}/contacts/fax/confirm", expected=(404, 422)),
    Bad("confirm: no such address", "POST", "/v1/customers/{customer}/contacts/sms/confirm", expected=(409, 422)),
    Bad("client log: not there", "GET", "/v1/customers/" + "0" * 32 + "/messages", expected=(404,)),
    # Lists
    Bad("list: limit 0", "GET", "/v1/customers?limit=0", wrong="limit"),
    Bad("list: limit beyond all bounds", "GET", "/v1/customers?limit=1000000", wrong="limit"),
    Bad("list: limit in words", "GET", "/v1/customers?limit=many", wrong="limit"),
    Bad("list: a cursor that nobody gave", "GET", "/v1/customers?cursor=nonsense", expected=(400, 422)),
    Bad("list: a cursor of bytes", "GET", "/v1/customers?cursor=%FF%00", expected=(400, 422)),
    Bad("list: failed fax", "GET", "/v1/customers?failed=fax", wrong="failed"),
    Bad("campaigns: a cursor that nobody gave", "GET", "/v1/campaigns?cursor=nonsense", expected=(400, 422)),
    Bad("segments: a cursor that nobody gave", "GET", "/v1/segments?cursor=nonsense", expected=(400, 422)),
    Bad("list: a parameter that there is not", "GET", "/v1/customers?tags=VIP", wrong="tags"),
    Bad("list: a parameter that lists do not have", "GET", "/v1/customers?external_id=taken", wrong="external_id"),
    Bad("list: a parameter twice", "GET", "/v1/customers?limit=1&limit=2", wrong="limit"),
    Bad("removal: a parameter that there is not", "DELETE", "/v1/customers/{customer}?dry_run=1", wrong="dry_run"),
    Bad("client log: limit 0", "GET", "/v1/customers/{customer}/messages?limit=0", wrong="limit"),
    # Places and ways that there are not
    Bad("no such place", "GET", "/v1/nothing", expected=(404,)),
    Bad("no such way", "PUT", "/v1/customers", ANA, (405,)),
    Bad("no such way to a campaign", "DELETE", "/v1/campaigns/01ARZ3NDEKTSV4RRFFQ69G5FAV", expected=(405,)),
    Bad("no such way to what is no thing of its own", "PATCH", "/v1/customers/count", ANA, (405,)),
    Bad("no such way to a page for people", "PUT", "/v1/unsubscribe/x", ANA, (405,)),
    Bad("no such way to a callback", "GET", "/v1/webhooks/twilio/status", expected=(405,)),
    Bad("no such way to the document", "POST", "/v1/openapi.json", ANA, (405,)),
    Bad("what browsers ask first", "OPTIONS", "/v1/customers", expected=(405,)),
    Bad("outside of the API", "GET", "/customers", expected=(404,)),
    # Business
    _business("a country that there is not", "country", "XX"),
    _business("a country in words", "country", "Portugal"),
    _business("a time zone that there is not", "time_zone", "Nowhere"),
    _business("an owner who is no address", "owner_email", "me"),
    _business("a sender who is no address", "email_from", "salon"),
    _business("a sender with a line break", "email_from", "hello@salon.example.com\r\nBcc: all@example.com"),
    _business("a carrier that there is not", "text_provider", "pigeon"),
    _business("a text sender that is none", "text_from", "us"),
    _business("an empty name", "name", ""),
    _business("a name that is null", "name", None),
    _business("a field that there is not", "api_key", "x"),
    _business("an id of one's own", "business_id", "x"),
    # Segments
    _filter("no object", "vip"),
    _filter("empty", {}),
    _filter("a condition that there is not", {"shoe_size": 38}),
    _filter("two conditions in one", {"tag": "vip", "failed": "email"}),
    _filter("all of no list", {"all": {"tag": "vip"}}),
    _filter("not a list", {"not": [{"tag": "vip"}]}),
    _filter("a tag that is a number", {"tag": 1}),
    _filter("failed fax", {"failed": "fax"}),
    _filter("a field that there is not", {"field": "shoe_size", "equals": "38"}),
    _filter("a field compared with nothing", {"field": "gender"}),
    _filter("a hundred levels", _deep(100)),
    _filter("ten thousand conditions", {"any": [{"tag": str(number)} for number in range(10_000)]}),
    _filter("one bad leaf among good ones", {"all": [{"tag": "vip"}, {"any": [{"nonsense": 1}]}]}),
    Bad("segment: no name", "PUT", "/v1/segments/bad", {"filter": EVERYBODY}, wrong="name"),
    Bad("segment: no filter", "PUT", "/v1/segments/bad", {"name": "Bad"}, wrong="filter"),
    Bad("segment: an id with a space", "PUT", "/v1/segments/b%20d", {"name": "Bad", "filter": EVERYBODY}),
    Bad("segment: an id that is too long", "PUT", "/v1/segments/" + "b" * 300, {"name": "Bad", "filter": EVERYBODY},
        (404, 422)),
    Bad("segment: not there", "GET", "/v1/segments/nothing", expected=(404,)),
    Bad("segment: nothing to remove", "DELETE", "/v1/segments/nothing", expected=(404,)),
    Bad("preview: of nobody", "POST", "/v1/segments/preview", {"channel": "email", "category": "marketing"}),
    Bad("preview: of two", "POST", "/v1/segments/preview", PREVIEW | {"segment_id": "people"}),
    Bad("preview: no such segment", "POST", "/v1/segments/preview",
        {"segment_id": "nothing", "channel": "email", "category": "marketing"}, (404, 422)),
    Bad("preview: no such channel", "POST", "/v1/segments/preview", PREVIEW | {"channel": "fax"}, wrong="channel"),
    Bad("preview: no such category", "POST", "/v1/segments/preview", PREVIEW | {"category": "x"}, wrong="category"),
    Bad("preview: a bad filter", "POST", "/v1/segments/preview", PREVIEW | {"filter": {"x": 1}}),
    # Campaigns
    _campaign("for nobody", {}, without="filter"),
    _campaign("for two", {"segment_id": "people"}),
    _campaign("no name", {}, "name", without="name"),
    _campaign("a name with a line break", {"name": "a\nb"}, "name"),
    _campaign("no such category", {"category": "spam"}, "category"),
    _campaign("no such channel", {"channel": "fax"}, "channel"),
    _campaign("no content", {}, "content", without="content"),
    _campaign("content of the other channel", {"content": CONTENT["sms"]}),
    _campaign("an email without a body", {"content": {"subject": "Hello"}}),
    _campaign("an email without a subject", {"content": {"text": "Hello"}}, "content.subject"),
    _campaign("a subject that is a number", {"content": {"subject": 1, "text": "Hello"}}, "content.subject"),
    _campaign("content with a field that there is not", {"content": CONTENT["email"] | {"bcc": "all@example.com"}}),
    _campaign("a filter that is none", {"filter": {"nonsense": 1}}),
    _campaign("no such segment", {"filter": None, "segment_id": "nothing"}, "segment_id"),
    _campaign("a list of nobody", {"filter": None, "customer_ids": []}, "customer_ids"),
    _campaign("a list of a text", {"filter": None, "customer_ids": "all"}, "customer_ids"),
    _campaign("ids of another form", {"filter": None, "customer_ids": ["nobody"]}),
    _campaign("added back in another form", {"include_customer_ids": ["nobody"]}),
    _campaign("yes in words", {"exclude_failed": "yes"}, "exclude_failed"),
    _campaign("a time in words", {"send_at": "tomorrow"}, "send_at"),
    _campaign("a time without a zone", {"send_at": "2030-01-01T10:00:00"}, "send_at"),
    _campaign("in the last of years", {"send_at": "9999-12-31T10:00:00Z"}, "send_at"),
    _campaign("a field that there is not", {"status": "completed"}, "status"),
    _campaign("a misspelt placeholder in the subject", {"content": {"subject": "Hi ##{{fist_name}}", "text": "x"}},
              "content.subject"),
    _campaign("a misspelt placeholder in the HTML",
              {"content": {"subject": "Hi", "html": "<p>##{{first name}}</p>", "text": "x"}}, "content.html"),
    Bad("campaign: a misspelt placeholder in a text", "POST", "/v1/campaigns",
        TEXT_CAMPAIGN | {"content": {"body": "Hi ##{{firstname}}"}}, wrong="content.body"),
    Bad("campaign: an empty text", "POST", "/v1/campaigns", TEXT_CAMPAIGN | {"content": {"body": ""}},
        wrong="content.body"),
    Bad("campaign: a text that is too long", "POST", "/v1/campaigns",
        TEXT_CAMPAIGN | {"content": {"body": "x" * 1601}}, wrong="content.body"),
    Bad("campaign: not there", "GET", "/v1/campaigns/01ARZ3NDEKTSV4RRFFQ69G5FAV", expected=(404,)),
    Bad("campaign: an id of another form", "GET", "/v1/campaigns/nothing", expected=(404,)),
    Bad("messages of a campaign that is not there", "GET", "/v1/campaigns/nothing/messages", expected=(404,)),
    # Messages
    Bad("message: to nobody", "POST", "/v1/messages",
        {"customer_id": "0" * 32, "category": "reminder", "channel": "email", "content": CONTENT["email"]},
        wrong="customer_id"),
    Bad("message: to an id of another form", "POST", "/v1/messages",
        {"customer_id": "x", "category": "reminder", "channel": "email", "content": CONTENT["email"]},
        wrong="customer_id"),
    Bad("message: empty", "POST", "/v1/messages", {}, wrong="customer_id"),
    Bad("message: a key that is too long", "POST", "/v1/messages", {}, (400, 422),
        headers={"Idempotency-Key": "k" * 1000}),
    # Imports
    Bad("import: of another format", "POST", "/v1/imports", {"format": "xlsx", "content": "x"}, wrong="format"),
    Bad("import: of nothing", "POST", "/v1/imports", {}, wrong="format"),
    Bad("import: of a number", "POST", "/v1/imports", {"format": "csv", "content": 7}, wrong="content"),
    Bad("import: not there", "GET", "/v1/imports/nothing", expected=(404,)),
    # Callbacks
    Bad("callback: nobody's", "POST", "/v1/webhooks/twilio/status", raw=b"MessageSid=x", expected=(403,),
        headers={"Content-Type": FORM}),
)  # fmt: skip


def _everything(api: ReboundApi, customer_id: str) -> Mapping[str, Any]:
    """All that a client can see of a business."""
    return {
        "business": api.get("/v1/business"),
        "customers": api.listing("/v1/customers"),
        "segments": api.listing("/v1/segments"),
        "campaigns": api.listing("/v1/campaigns"),
        "log": api.client_log(customer_id),
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was answered, and what there was before and after."""

    answers: Mapping[str, Answer]
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@pytest.fixture(scope="module")
def outcome(api: ReboundApi, calm: Calm) -> Outcome:
    """Every request, once."""
    assert len({bad.what for bad in REQUESTS}) == len(REQUESTS)
    customer = api.new_customer(external_id="taken", email="ana@example.com")
    api.put("/v1/segments/people", {"name": "People", "filter": EVERYBODY})
    before = _everything(api, customer)

    def send(bad: Bad) -> tuple[str, Answer]:
        content = bad.raw if bad.raw is not None or bad.body is None else json.dumps(bad.body).encode()
        return bad.what, api.send(bad.method, bad.path.replace("{customer}", customer), content, bad.headers)

    answers = dict(few_at_once(send, REQUESTS))
    calm.wait()
    return Outcome(answers, before, _everything(api, customer))


@pytest.mark.parametrize("bad", REQUESTS, ids=lambda bad: bad.what)
def test_a_bad_request_has_a_clear_answer(outcome: Outcome, bad: Bad) -> None:
    answer = outcome.answers[bad.what]
    assert answer.status in bad.expected, answer
    assert answer.headers["content-type"].startswith("application/problem+json"), answer
    problem = answer.json()
    assert {"type", "title", "status", "detail", "code", "retryable"} <= set(problem)
    assert problem["type"] == f"urn:rebound:problem:{problem['code']}"
    assert problem["status"] == answer.status
    assert ("allow" in answer.headers) == (answer.status == 405)
    assert problem["title"]
    assert problem["detail"]
    if answer.status == 422:
        assert problem["errors"]
        assert all(set(error) == {"field", "message"} and error["message"] for error in problem["errors"])
    if bad.wrong is not None:
        assert any(error["field"].split("[")[0] == bad.wrong for error in problem["errors"]), problem


def test_none_of_them_changes_anything(outcome: Outcome) -> None:
    assert outcome.after == outcome.before


def test_an_answer_never_repeats_what_was_sent(outcome: Outcome) -> None:
    for what in ("customer: an email with two @", "customer: a number that is words"):
        body = outcome.answers[what].body
        assert b"silva@example" not in body
        assert b"call me" not in body


def test_a_program_knows_what_to_do(outcome: Outcome) -> None:
    """One of each thing that a client does by itself: by the taken id, by the right name, by the right method."""
    taken = outcome.answers["customer: external id taken"].json()
    misspelt = outcome.answers["list: a parameter that there is not"].json()

    assert (taken["code"], taken["customer_id"]) == ("external_id_taken", outcome.before["customers"][0]["customer_id"])
    assert misspelt["did_you_mean"] == {"tags": "tag"}
    assert outcome.answers["no such way"].headers["allow"] == "GET, HEAD, POST"
    assert outcome.answers["no such way to a page for people"].headers["allow"] == "GET, HEAD, POST"


def test_head_is_answered_as_get_is(api: ReboundApi) -> None:
    answers = {method: api.call(method, "/v1/business") for method in ("GET", "HEAD")}

    assert [answer.status for answer in answers.values()] == [200, 200]
    assert answers["HEAD"].body == b""
    assert api.with_key(None).call("HEAD", "/v1/business").status == 401


@pytest.mark.parametrize("path", ["/v1/segments", "/v1/campaigns", "/v1/customers/{customer}/messages"])
def test_a_cursor_of_another_list_is_refused_or_harmless(operator: Operator, path: str) -> None:
    business = operator.new_business("Curious")
    customer_id, _ = (business.new_customer() for _ in range(2))
    cursor = business.get("/v1/customers", limit=1)["next_cursor"]
    assert cursor
    answer = business.call("GET", f"{path.replace('{customer}', customer_id)}?cursor={quote(cursor)}")
    assert answer.status in {200, 400, 422}, answer
    assert answer.status != 200 or answer.json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    "html",
    ["##{{" * 20_000, "<" * 90_000, "##{{first_name" * 6_000, "語" * 90_000, "&" * 90_000],
    ids=["half placeholders", "half tags", "open placeholders", "three bytes a letter", "ampersands"],
)
def test_a_hostile_content_is_refused_or_delivered_but_never_chokes(api: ReboundApi, calm: Calm, html: str) -> None:
    customer_id = api.new_customer("Hostile", email="hostile@example.com")
    body = {
        "customer_id": customer_id,
        "category": "reminder",
        "channel": "email",
        "content": {"subject": "x", "html": html},
    }
    answer = api.call("POST", "/v1/messages", body)
    assert answer.status in {202, 413, 422}, answer
    calm.wait()
    statuses = [message["status"] for message in api.client_log(customer_id)]
    assert statuses == (["delivered"] if answer.status == 202 else [])


@pytest.mark.parametrize(("channel", "setting"), [("email", "email_from"), ("sms", "text_from")])
def test_a_business_without_a_sender_is_told_so(operator: Operator, channel: str, setting: str) -> None:
    business = operator.new_business("Mute", "--owner-email", "owner@example.com")
    customer_id = business.new_customer(email="ana@example.com", mobile_phone="+14155550123")
    for path, body in (
        ("/v1/campaigns", {"name": "Offer", "filter": EVERYBODY}),
        ("/v1/messages", {"customer_id": customer_id}),
    ):
        asked = {"category": "marketing", "channel": channel, "content": CONTENT[channel]} | body
        answer = business.call("POST", path, asked)
        assert answer.status == 409, answer
        assert setting in answer.json()["detail"]
    assert business.client_log(customer_id) == []
    assert business.listing("/v1/campaigns") == []
