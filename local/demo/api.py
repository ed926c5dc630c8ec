"""Talks to Rebound's public API over one kept-alive connection, and reads its answers into small typed shapes."""

import http.client
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

from local.demo.errors import DemoError

type Json = Mapping[str, Any]

STACK_FILE: Final = Path(__file__).parents[2] / ".local" / "stack.json"
TIMEOUT_SECONDS: Final = 60.0
_OPEN_RESULTS: Final = frozenset({"queued", "sent", "uncertain"})
_PAGE: Final = 100
_BUSY_TRIES: Final = 5


@dataclass(frozen=True)
class Stack:
    """Where the running stack is, as ``make up`` wrote it down; ``api_url`` ends before ``/v1``."""

    api_url: str
    api_key: str
    twin_url: str


def read_stack(path: Path = STACK_FILE) -> Stack:
    """The stack of this checkout. Raises ``DemoError`` when none has been started."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Stack(
            str(found["api_url"]).rstrip("/").removesuffix("/v1"), str(found["api_key"]), str(found["twin_url"])
        )
    except FileNotFoundError:
        raise DemoError(
            "No stack is running here. Start one with `make up`, or run `make demo`, which does both."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise DemoError(f"{path} does not look like what `make up` writes. Try `make down` and `make up`.") from None


class Api(Protocol):
    """The public API as the demo uses it: a call either answers or raises ``DemoError``."""

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """One request. ``path`` starts with ``/v1``."""
        ...


type Connect = Callable[[str, str, float], http.client.HTTPConnection]


def _connect(scheme: str, address: str, timeout_seconds: float) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    return kind(address, timeout=timeout_seconds)


class HttpApi:
    """The real one.

    Every POST carries an ``Idempotency-Key``, which is why a request whose connection broke may simply be sent again.
    """

    def __init__(self, stack: Stack, connect: Connect = _connect, sleep: Callable[[float], None] = time.sleep) -> None:
        url = urlsplit(stack.api_url)
        self._scheme, self._address, self._prefix = url.scheme, url.netloc, url.path
        self._connect = connect
        self._connection: http.client.HTTPConnection | None = None
        self._authorization = f"Bearer {stack.api_key}"
        self._sleep = sleep

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """One request; waits as told when the API says that it is busy."""
        headers = {"Authorization": self._authorization, "Accept": "application/json"}
        content = None
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        for _ in range(_BUSY_TRIES):
            status, retry_after, answer = self._exchange(method, path, content, headers)
            if status != HTTPStatus.TOO_MANY_REQUESTS:
                break
            self._sleep(float(retry_after) if retry_after and retry_after.isdecimal() else 1.0)
        return self._read(method, path, status, answer)

    def _exchange(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> tuple[int, str | None, bytes]:
        for is_last_try in (False, True):
            connection = self._connection or self._connect(self._scheme, self._address, TIMEOUT_SECONDS)
            try:
                connection.request(method, self._prefix + path, content, headers)
                response = connection.getresponse()
                answer = response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self._connection = None
                if is_last_try:
                    message = f"{method} {path} got no answer ({error}). Is the stack still up? Try `make up`."
                    raise DemoError(message) from error
            else:
                self._connection = connection
                return response.status, response.getheader("Retry-After"), answer
        raise AssertionError  # the last try returns or raises

    @staticmethod
    def _read(method: str, path: str, status: int, answer: bytes) -> Json:
        try:
            found = json.loads(answer) if answer.strip() else {}
        except ValueError:
            found = None
        if status not in range(200, 300):
            problem = found if isinstance(found, dict) else {}
            says = (
                problem.get("detail")
                or problem.get("title")
                or answer[:200].decode("utf-8", "replace")
                or "nothing more"
            )
            wrong = "".join(f"\n  {each.get('field')}: {each.get('message')}" for each in problem.get("errors") or ())
            raise DemoError(f"{method} {path} was answered with {status}: {says}{wrong}")
        if not isinstance(found, dict):
            raise DemoError(f"{method} {path} was answered with {status} and something that is not a JSON object.")
        return found


def _counts(found: Json) -> dict[str, int]:
    return {str(name): int(number) for name, number in found.items()}


@dataclass(frozen=True)
class Audience:
    """Who a campaign is for: everybody who matched is either left out, for one reason, or targeted."""

    matched: int
    excluded: Mapping[str, int]
    targeted: int

    @classmethod
    def of(cls, found: Json) -> "Audience":
        """Read from a preview, or from ``audience`` of a campaign."""
        return cls(int(found["matched"]), _counts(found["excluded"]), int(found["targeted"]))

    @property
    def left_out(self) -> int:
        """How many are left out, for whatever reason."""
        return sum(self.excluded.values())


@dataclass(frozen=True)
class Campaign:
    """A campaign as the API shows it at one moment; ``reason`` is why it failed, if it did."""

    campaign_id: str
    status: str
    audience: Audience
    results: Mapping[str, int]
    reason: str | None

    @classmethod
    def of(cls, found: Json) -> "Campaign":
        """Read from an answer. The audience is empty until it has been worked out."""
        audience = found.get("audience") or {"matched": 0, "excluded": {}, "targeted": 0}
        return cls(
            campaign_id=str(found["campaign_id"]),
            status=str(found["status"]),
            audience=Audience.of(audience),
            results=_counts(found.get("results") or {}),
            reason=found.get("reason") or found.get("error"),
        )

    @property
    def waiting(self) -> int:
        """How many are still to be sent."""
        return self.results.get("queued", 0)

    @property
    def settled(self) -> int:
        """How many have a final result."""
        return sum(number for result, number in self.results.items() if result not in _OPEN_RESULTS)

    @property
    def without_a_final_word(self) -> int:
        """How many of those targeted are not known to have arrived or failed, whatever the reason."""
        return self.audience.targeted - self.settled


@dataclass(frozen=True)
class Contact:
    """One address of a customer, whether it is flagged, and which kinds of message were opted out of."""

    address: str | None
    invalid: bool
    reason: str | None
    opted_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: Json) -> "Contact":
        """Read from an answer."""
        return cls(
            found.get("address"), bool(found["invalid"]), found.get("reason"), tuple(found.get("opted_out") or ())
        )


@dataclass(frozen=True)
class Customer:
    """A customer as the API shows them; ``contacts`` by channel."""

    customer_id: str
    external_id: str | None
    name: str
    contacts: Mapping[str, Contact]

    @classmethod
    def of(cls, found: Json) -> "Customer":
        """Read from an answer."""
        return cls(
            customer_id=str(found["customer_id"]),
            external_id=found.get("external_id"),
            name=f"{found['first_name']} {found['last_name']}",
            contacts={
                str(channel): Contact.of(each) for channel, each in (found.get("contacts") or {}).items() if each
            },
        )

    def is_flagged(self, channel: str) -> bool:
        """Whether the address of that channel is flagged."""
        contact = self.contacts.get(channel)
        return contact is not None and contact.invalid


@dataclass(frozen=True)
class ImportJob:
    """How far an import has come, and the lines that were refused."""

    status: str
    counts: Mapping[str, int]
    errors: tuple[str, ...]

    @classmethod
    def of(cls, found: Json) -> "ImportJob":
        """Read from an answer."""
        errors = (
            f"line {each.get('line')}, {each.get('field')}: {each.get('message')}" for each in found.get("errors") or ()
        )
        return cls(str(found["status"]), _counts(found.get("counts") or {}), tuple(errors))


@dataclass(frozen=True)
class Message:
    """A message to one customer as it is at one moment."""

    message_id: str
    channel: str
    address: str | None
    status: str

    @classmethod
    def of(cls, found: Json) -> "Message":
        """Read from an answer."""
        return cls(str(found["message_id"]), str(found["channel"]), found.get("address"), str(found["status"]))


@dataclass(frozen=True)
class Recurring:
    """A recurring campaign as it is at one moment; ``next_date`` is the local day of the next occurrence."""

    recurring_id: str
    name: str
    status: str
    at: str
    next_date: str | None

    @classmethod
    def of(cls, found: Json) -> "Recurring":
        """Read from an answer."""
        return cls(
            str(found["recurring_campaign_id"]),
            str(found["name"]),
            str(found["status"]),
            str(found["at"]),
            found["next_occurrence_date"],
        )


@dataclass(frozen=True)
class Redemption:
    """A voucher that was redeemed with an order; money is decimal text."""

    code: str
    order_id: str
    amount: str
    discount: str
    currency: str

    @classmethod
    def of(cls, found: Json) -> "Redemption":
        """Read from an answer."""
        return cls(*(str(found[name]) for name in ("code", "order_id", "amount", "discount", "currency")))


@dataclass(frozen=True)
class BroughtIn:
    """What the vouchers of a campaign brought in; money is decimal text by currency."""

    redeemed: int
    revenue: Mapping[str, str]
    reward: Mapping[str, str]

    @classmethod
    def of(cls, found: Json) -> "BroughtIn":
        """Read from the answer for a campaign with a voucher."""
        revenue, reward = (
            {str(each["currency"]): str(each["amount"]) for each in found[name]} for name in ("revenue", "reward")
        )
        return cls(int(found["redeemed"]), revenue, reward)


@dataclass(frozen=True)
class Tiers:
    """How many customers are of each loyalty tier, and how many of none."""

    tiers: Mapping[str, int]
    without_tier: int

    @classmethod
    def of(cls, found: Json) -> "Tiers | None":
        """Read from an answer; ``None`` while they are being counted."""
        return cls(_counts(found["tiers"]), int(found["without_tier"])) if "tiers" in found else None


class Rebound:
    """The calls that the demo makes, by what they are for."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def _call[T](self, read: Callable[[Json], T], method: str, path: str, body: Json | None = None) -> T:
        found = self._api.call(method, path, body)
        try:
            return read(found)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DemoError(f"The answer to {method} {path} is not what the API's contract says: {error!r}") from error

    def has_customers(self) -> bool:
        """Whether the business has any customer yet."""
        return self._call(lambda found: bool(found["items"]), "GET", "/v1/customers?limit=1")

    def country(self) -> str:
        """The country in which numbers without a country code are read."""
        return self._call(lambda found: str(found["country"]), "GET", "/v1/business")

    def set_country(self, country: str) -> None:
        """Change that country."""
        self._api.call("PATCH", "/v1/business", {"country": country})

    def time_zone(self) -> str:
        """The zone of the business's calendar."""
        return self._call(lambda found: str(found["time_zone"]), "GET", "/v1/business")

    def start_import(self, csv_text: str) -> str:
        """Hand in customers; answers the import's id."""
        body = {"format": "csv", "content": csv_text}
        return self._call(lambda found: str(found["import_id"]), "POST", "/v1/imports", body)

    def import_job(self, import_id: str) -> ImportJob:
        """How an import is getting on."""
        return self._call(ImportJob.of, "GET", f"/v1/imports/{quote(import_id)}")

    def save_segment(self, segment_id: str, name: str, filter_tree: Json) -> None:
        """Create a segment, or replace it."""
        self._api.call("PUT", f"/v1/segments/{segment_id}", {"name": name, "filter": filter_tree})

    def preview(self, segment_id: str, channel: str) -> Audience:
        """Who would get a marketing message now."""
        body = {"segment_id": segment_id, "channel": channel, "category": "marketing", "exclude_failed": True}
        return self._call(Audience.of, "POST", "/v1/segments/preview", body)

    def start_campaign(self, definition: Json) -> str:
        """Post a campaign; answers its id."""
        return self._call(lambda found: str(found["campaign_id"]), "POST", "/v1/campaigns", definition)

    def campaign(self, campaign_id: str) -> Campaign:
        """A campaign as it is now."""
        return self._call(Campaign.of, "GET", f"/v1/campaigns/{quote(campaign_id)}")

    def send(self, customer_id: str, category: str, channel: str, said: Json) -> Message:
        """Send one message to one customer, now; ``said`` is its content, or what it is made from."""
        body = {"customer_id": customer_id, "category": category, "channel": channel, **said}
        return self._call(Message.of, "POST", "/v1/messages", body)

    def message(self, message_id: str) -> Message:
        """One message as it is now."""
        return self._call(Message.of, "GET", f"/v1/messages/{quote(message_id)}")

    def texts_used(self) -> int:
        """Segments of texts that the business's plan has counted this month."""
        return self._call(lambda found: int(found["used"]), "GET", "/v1/text-plan")

    def save_template(self, template_id: str, definition: Json) -> int:
        """Create a template, or save its next version; answers the version's number."""
        return self._call(lambda found: int(found["version"]), "PUT", f"/v1/templates/{quote(template_id)}", definition)

    def customer(self, customer_id: str) -> Customer:
        """One customer as they are now."""
        return self._call(Customer.of, "GET", f"/v1/customers/{quote(customer_id)}")

    def change_email(self, customer_id: str, email: str) -> Customer:
        """Edit a customer's email address."""
        return self._call(Customer.of, "PATCH", f"/v1/customers/{quote(customer_id)}", {"email": email})

    def customer_of(self, external_id: str) -> Customer:
        """One customer, by the salon's own id."""
        return self._call(Customer.of, "GET", f"/v1/customers/by-external-id/{quote(external_id)}")

    def relatives(self, customer_id: str) -> int:
        """How many customers are linked to one."""
        path = f"/v1/customers/{quote(customer_id)}/relations"
        return self._call(lambda found: sum(1 for each in found["items"] if each["customer_id"]), "GET", path)

    def relate(self, customer_id: str, external_id: str, relationship: str) -> None:
        """Link two customers: what the other is to the one."""
        body = {"external_id": external_id, "relationship": relationship}
        self._api.call("POST", f"/v1/customers/{quote(customer_id)}/relations", body)

    def tell(self, events: Sequence[Json]) -> int:
        """Say what customers did; answers how many events were taken, or known already."""
        return self._call(
            lambda found: int(found["accepted"]) + int(found["known"]), "POST", "/v1/activity", {"events": events}
        )

    def choose_favourite(self, external_id: str) -> None:
        """Make a customer a favourite of the staff."""
        self._api.call("PUT", f"/v1/loyalty/favourites/by-external-id/{quote(external_id)}")

    def tiers(self) -> Tiers | None:
        """How many customers are of each loyalty tier; ``None`` while they are being counted."""
        return self._call(Tiers.of, "GET", "/v1/loyalty")

    def start_recurring(self, definition: Json) -> str:
        """Post a recurring campaign; answers its id."""
        return self._call(
            lambda found: str(found["recurring_campaign_id"]), "POST", "/v1/recurring-campaigns", definition
        )

    def all_recurring(self) -> list[Recurring]:
        """The recurring campaigns that there are."""
        return list(self._pages("/v1/recurring-campaigns", {}, Recurring.of))

    def recurring(self, recurring_id: str) -> Recurring:
        """One recurring campaign as it is now."""
        return self._call(Recurring.of, "GET", f"/v1/recurring-campaigns/{quote(recurring_id)}")

    def remove_recurring(self, recurring_id: str) -> None:
        """End a recurring campaign; what it has sent stays."""
        self._api.call("DELETE", f"/v1/recurring-campaigns/{quote(recurring_id)}")

    def latest_occurrence(self, recurring_id: str) -> tuple[str, str] | None:
        """The id of the latest campaign that came of a recurring one, and its local day."""
        return self._call(
            lambda found: next(
                ((str(each["campaign_id"]), str(each["occurrence_date"])) for each in found["items"]), None
            ),
            "GET",
            f"/v1/recurring-campaigns/{quote(recurring_id)}/occurrences?limit=1",
        )

    def recipients(self, campaign_id: str) -> list[str]:
        """Ids of the customers to whom a campaign was delivered."""
        path = f"/v1/campaigns/{quote(campaign_id)}/messages"
        return list(self._pages(path, {"status": "delivered"}, lambda found: str(found["customer_id"])))

    def vouchers(self, customer_id: str) -> dict[str, str]:
        """The codes that apply when a customer comes, by campaign."""
        return self._call(
            lambda found: {str(each["campaign_id"]): str(each["code"]) for each in found["items"]},
            "GET",
            f"/v1/customers/{quote(customer_id)}/vouchers",
        )

    def redeem(self, code: str, customer_id: str, order_id: str, amount: str) -> Redemption:
        """Redeem a voucher with an order."""
        body = {"customer_id": customer_id, "order_id": order_id, "amount": amount}
        return self._call(Redemption.of, "POST", f"/v1/vouchers/{quote(code)}/redemptions", body)

    def brought_in(self, campaign_id: str) -> BroughtIn:
        """What the vouchers of a campaign brought in."""
        return self._call(BroughtIn.of, "GET", f"/v1/campaigns/{quote(campaign_id)}")

    def put_sequence(self, sequence_id: str, definition: Json) -> None:
        """Create a sequence, or publish its next version."""
        self._api.call("PUT", f"/v1/sequences/{quote(sequence_id)}", definition)

    def remove_sequence(self, sequence_id: str) -> None:
        """Remove a sequence; what it has sent stays."""
        self._api.call("DELETE", f"/v1/sequences/{quote(sequence_id)}")

    def enrol(self, sequence_id: str, customer_id: str, entry_key: str) -> None:
        """Let a customer begin a sequence."""
        body = {"customer_id": customer_id, "entry_key": entry_key}
        self._api.call("POST", f"/v1/sequences/{quote(sequence_id)}/enrolments", body)

    def where(self, sequence_id: str, customer_id: str) -> tuple[str, str]:
        """Where a customer is in a sequence, in words, and why they left; empty while they have not."""

        def read(found: Json) -> tuple[str, str]:
            [one] = found["items"]
            return str(one["sentence"]), one["left_because"] or ""

        return self._call(
            read, "GET", f"/v1/sequences/{quote(sequence_id)}/enrolments?customer_id={quote(customer_id)}"
        )

    def arrived(self, sequence_id: str, customer_id: str, status: str) -> list[str]:
        """The steps of a sequence whose messages to a customer have a status."""
        return self._call(
            lambda found: [
                str(each["step_id"])
                for each in found["items"]
                if (each["sequence_id"], each["status"]) == (sequence_id, status)
            ],
            "GET",
            f"/v1/customers/{quote(customer_id)}/messages?limit=50",
        )

    def confirm(self, customer_id: str, channel: str) -> None:
        """Say that an address is right, which clears its flag."""
        self._api.call("POST", f"/v1/customers/{quote(customer_id)}/contacts/{channel}/confirm")

    def customers(self, **filters: str) -> list[Customer]:
        """Every customer that the filters of the list let through."""
        return list(self._pages("/v1/customers", filters, Customer.of))

    def uncertain(self, campaign_id: str) -> list[str]:
        """The addresses of a campaign of which nobody can say whether the message went out."""
        path = f"/v1/campaigns/{quote(campaign_id)}/messages"
        return list(self._pages(path, {"status": "uncertain"}, lambda found: str(found["address"])))

    def _pages[T](self, path: str, filters: Mapping[str, str], read: Callable[[Json], T]) -> Iterator[T]:
        cursor: str | None = None
        while True:
            query = urlencode({**filters, "limit": str(_PAGE), **({"cursor": cursor} if cursor else {})})
            items, cursor = self._call(
                lambda found: ([read(each) for each in found["items"]], found["next_cursor"]), "GET", f"{path}?{query}"
            )
            yield from items
            if not cursor:
                return
