"""Rebound's public API as a client sees it: HTTP and nothing else."""

import http.client
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

type Json = dict[str, Any]

TIMEOUT_SECONDS: Final = 60.0
CLIENTS: Final = 4


def few_at_once[T, R](do: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """What ``do`` gives for each item, in order; several clients share the work, because a call is mostly waiting."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(do, items))


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, which must be JSON."""
        return json.loads(self.body)

    def expecting(self, *statuses: int) -> "Answer":
        """This answer, which must have one of these statuses."""
        assert self.status in statuses, f"expected {statuses}, got {self.status}: {self.body[:2000]!r}"
        return self


def exchange(method: str, url: str, content: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """One request on a connection of its own."""
    parts = urlsplit(url)
    assert parts.scheme == "http"
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, content, dict(headers or {}))
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class ReboundApi:
    """The API of one stack with one key; ``url`` goes before ``/v1``."""

    url: str
    key: str | None = field(repr=False)
    business_id: str

    def with_key(self, key: str | None) -> "ReboundApi":
        """The same API with another key, or with none."""
        return ReboundApi(self.url, key, self.business_id)

    def send(
        self, method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request with whatever bytes; the headers given stand above the usual ones."""
        usual = {"Authorization": f"Bearer {self.key}"} if self.key is not None else {}
        if content is not None:
            usual["Content-Type"] = "application/json"
        return exchange(method, self.url + path, content, usual | dict(headers or {}))

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request with a JSON body or none, whatever comes of it."""
        return self.send(method, path, None if body is None else json.dumps(body).encode(), headers)

    def get(self, path: str, **query: str | int) -> Json:
        """What is there."""
        found: Json = self.call("GET", f"{path}?{urlencode(query)}" if query else path).expecting(HTTPStatus.OK).json()
        return found

    def post(self, path: str, body: object = None, status: int = HTTPStatus.ACCEPTED) -> Json:
        """The answer to a POST that must succeed with that status."""
        found: Json = self.call("POST", path, body).expecting(status).json()
        return found

    def patch(self, path: str, body: object) -> Json:
        """The answer to a PATCH that must succeed."""
        found: Json = self.call("PATCH", path, body).expecting(HTTPStatus.OK).json()
        return found

    def put(self, path: str, body: object) -> Json:
        """The answer to a PUT that must succeed."""
        found: Json = self.call("PUT", path, body).expecting(HTTPStatus.OK).json()
        return found

    def delete(self, path: str) -> None:
        """Remove what must be there."""
        self.call("DELETE", path).expecting(HTTPStatus.NO_CONTENT)

    def pages(self, path: str, **query: str | int) -> Iterator[list[Json]]:
        """A list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            assert set(page) == {"items", "next_cursor"}
            yield page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def listing(self, path: str, **query: str | int) -> list[Json]:
        """A whole list."""
        return [item for page in self.pages(path, **{"limit": 100, **query}) for item in page]

    def new_customer(self, first_name: str = "Ana", last_name: str = "Silva", **profile: object) -> str:
        """The id of a customer made just now."""
        body = {"first_name": first_name, "last_name": last_name, **profile}
        return str(self.post("/v1/customers", body, HTTPStatus.CREATED)["customer_id"])

    def customer(self, customer_id: str) -> Json:
        """One customer."""
        return self.get(f"/v1/customers/{customer_id}")

    def contact(self, customer_id: str, channel: str) -> Json:
        """What is known of one customer's address on a channel."""
        found: Json = self.customer(customer_id)["contacts"][channel]
        return found

    def client_log(self, customer_id: str) -> list[Json]:
        """Everything sent to one customer, newest first."""
        return self.listing(f"/v1/customers/{customer_id}/messages")

    def new_campaign(self, channel: str, **definition: object) -> str:
        """The id of a campaign posted just now: marketing to everybody unless the definition says otherwise."""
        body: Json = {"name": "A campaign", "category": "marketing", "channel": channel, "content": CONTENT[channel]}
        if not {"segment_id", "filter", "customer_ids"} & set(definition):
            body["filter"] = EVERYBODY
        return str(self.post("/v1/campaigns", body | definition)["campaign_id"])

    def campaign(self, campaign_id: str) -> Json:
        """One campaign."""
        return self.get(f"/v1/campaigns/{campaign_id}")

    def new_message(self, customer_id: str, channel: str, category: str = "reminder", **content: str) -> str:
        """The id of a message to one person, posted just now."""
        body = {
            "customer_id": customer_id,
            "category": category,
            "channel": channel,
            "content": content or CONTENT[channel],
        }
        return str(self.post("/v1/messages", body)["message_id"])

    def message(self, customer_id: str, message_id: str) -> Json:
        """One message of the client log."""
        (found,) = [message for message in self.client_log(customer_id) if message["message_id"] == message_id]
        return found

    def preview(self, channel: str, category: str = "marketing", **whom: object) -> Json:
        """Who would get a message now: everybody unless it is said whom."""
        asked: Json = {"channel": channel, "category": category}
        if not {"segment_id", "filter"} & set(whom):
            asked["filter"] = EVERYBODY
        return self.post("/v1/segments/preview", asked | whom, HTTPStatus.OK)


EVERYBODY: Final[Json] = {"all": []}
CONTENT: Final[Mapping[str, Json]] = {
    "email": {"subject": "Hello ##{{first_name}}", "html": "<p>See you soon.</p>", "text": "See you soon."},
    "sms": {"body": "Hello ##{{first_name}}, see you soon."},
}


def matched_and_targeted(audience: Json) -> tuple[int, int]:
    """Both numbers of an audience or a preview, which must add up."""
    assert set(audience) == {"matched", "excluded", "targeted"}
    assert audience["matched"] == sum(audience["excluded"].values()) + audience["targeted"], audience
    return audience["matched"], audience["targeted"]
