"""What the pages lead to and send, read from the pages themselves: so a new route is held by the laws without a word.

A route with an id in its address needs one thing: ``THINGS`` says how one of those is made.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urljoin, urlsplit

from botocore.client import BaseClient

from rebound.campaigns.domain.campaigns import CampaignStatus
from rebound.campaigns.domain.chunks import Chunk, ChunkKey
from rebound.console.http.frame import CSRF
from rebound.console.http.routes import ROUTES, Route, find
from rebound.console.wiring import use_cases
from rebound.jobs.domain import JobKind
from rebound.messages.domain.goals import Goal, GoalKind
from rebound.messages.domain.messages import MessageStatus
from rebound.messages.domain.variants import WHOLE, Split, Variant
from rebound.messages.domain.winners import ChosenBy, WinnerRule
from rebound.segments.domain.selections import CustomerFilter
from rebound.staff.domain import Role
from rebound.templates.domain.content import EmailContent
from tests.fakes.aws import make
from tests.fakes.making import BUSINESS_ID, CAMPAIGN_ID, RUN_ID, at, campaign, id_of, message, message_key
from tests.integration.conftest import Stack
from tests.integration.console.desk import ORIGIN, Desk
from tests.integration.inbound.test_received_texts import NUMBER, text

MARK: Final = "Xanthippe"
"""Stands in everything personal that there is."""
OWNER: Final = "owner@salon.example.com"
CHANGES: Final = ("Put", "Update", "Delete", "Transact", "BatchWrite", "Send", "Publish", "Start", "Create", "Copy")


def _customer(stack: Stack) -> str:
    profile = {
        "first_name": MARK,
        "last_name": f"{MARK}-Berg",
        "email": f"{MARK.lower()}@example.com",
        "mobile_phone": NUMBER,
        "general_tags": [f"{MARK}-tag"],
        "referred_by": f"{MARK} senior",
    }
    return str(stack.api("POST", "/v1/customers", profile).body["customer_id"])


def _segment(stack: Stack) -> str:
    stack.api("PUT", "/v1/segments/vip", {"name": "VIP", "filter": {"all": [{"tag": "vip"}]}})
    return "vip"


def _reply(stack: Stack) -> str:
    stack.invoke("receive_text", text(Body=f"please stop texting me, {MARK}"))
    return "SM1"


def _template(stack: Stack) -> str:
    content = {"subject": f"Hello {MARK}", "text": "Hi"}
    stack.api("PUT", "/v1/templates/spring", {"name": "Spring", "channel": "email", "content": content})
    return "spring"


def _layout(stack: Stack) -> str:
    layout = {"subject": f"Hello {MARK}", "blocks": [{"kind": "heading", "text": MARK}]}
    stack.api("PUT", "/v1/templates/autumn", {"name": "Autumn", "channel": "email", "layout": layout})
    return "autumn"


def _campaign(stack: Stack) -> str:
    """A draft."""
    content = {"subject": "Hello ##{{first_name}}", "text": "Hi"}
    asked = {"name": "Spring", "category": "marketing", "channel": "email", "filter": {"all": []}, "content": content}
    return str(stack.api("POST", "/v1/campaigns", {**asked, "status": "draft"}).body["campaign_id"])


def _recurring(stack: Stack) -> str:
    content = {"subject": "Happy birthday", "text": "Hi"}
    asked = {"name": "Birthdays", "category": "marketing", "channel": "email", "audience": {"birthday": {}}}
    made = stack.api("POST", "/v1/recurring-campaigns", {**asked, "at": "09:00", "content": content})
    return str(made.body["recurring_campaign_id"])


def _sequence(stack: Stack) -> str:
    """One that is on, in its second version, of every kind of step; the customer waits in it."""
    said = {"channel": "email", "category": "marketing", "content": {"subject": f"Hello {MARK}", "text": MARK}}
    steps = [
        {"send": said},
        {"if": {"tag": f"{MARK}-tag"}, "then": [{"tag": {"add": f"{MARK}-known"}}], "else": [{"exit": {}}]},
        {"wait": {"days": 3, "until_local": "10:00", "for_event": {"kind": "custom", "name": MARK}}},
    ]
    ends = [{"kind": "tag_added", "tag": MARK, "goal": True}]
    given = {"name": f"{MARK} first", "trigger": {"kind": "custom", "name": MARK}, "filter": {"tag": f"{MARK}-tag"}}
    path = "/v1/sequences/first"
    for exits in ([], ends):
        made = stack.api("PUT", path, {**given, "steps": steps, "exit_on": exits, "status": "on"})
        assert made.status == 200, made.text
    for customer in stack.api("GET", "/v1/customers").body["items"]:
        stack.api("POST", f"{path}/enrolments", {"customer_id": customer["customer_id"], "entry_key": "1"})
    return "first"


def _waiver(stack: Stack) -> str:
    posted = {"version": f"{MARK} 2", "note": f"{MARK} has a sauna", "url": f"https://example.com/{MARK}"}
    made = stack.api("POST", "/v1/waivers/rules/versions", posted)
    assert made.status == 200, made.text
    return "rules"


def _clean_up(stack: Stack) -> str:
    given = {"failed": "email", "confirm_count": 0}
    return str(stack.api("POST", "/v1/customers/bulk-delete", given).body.get("job_id", "x"))


def _draft(_: Stack) -> str:
    draft_id: str = use_cases().bring_file.new_id()
    key = f"import-drafts/{BUSINESS_ID}/{draft_id}"
    make("s3").put_object(Bucket="imports", Key=key, Body=f"first_name,last_name\n{MARK},Berg\n".encode())
    return draft_id


def _sent_campaign(_: Stack) -> str:
    """One that is under way, in variants; its one message went to somebody who is deleted since."""
    variants = tuple(Variant(f"{MARK} {name}", WHOLE // 2, EmailContent(MARK, None, MARK)) for name in ("A", "B"))
    ports, rule = use_cases().ports, WinnerRule(WHOLE // 2, 24, ChosenBy.GOAL, 5)
    split = Split(CAMPAIGN_ID, variants, WHOLE // 10, rule, ports.clock.now() + timedelta(days=1))
    given: dict[str, Any] = {"split": split, "goal": Goal(GoalKind.VISIT, 7), "content": variants[0].content}
    made = campaign(name=f"{MARK} offer", status=CampaignStatus.SENDING, run_id=RUN_ID, **given)
    ports.campaigns.add(made)
    ports.chunks.add(Chunk(ChunkKey(BUSINESS_ID, CAMPAIGN_ID, "chunk#000#0000000"), (id_of(1),), (), created_at=at(0)))
    key, reason = message_key(1, made.message_id(id_of(1))), f"{MARK} moved"
    address = f"{MARK.lower()}@example.com"
    ports.messages.record([message(1, MessageStatus.BOUNCED, key=key, address=address, reason=reason)])
    ports.tallies.add(CAMPAIGN_ID, "shard", {"bounced": 1}, after=None, position="1")
    return made.campaign_id


THINGS: Final[Mapping[str, Callable[[Stack], str]]] = {
    "campaigns": _campaign,
    "campaigns of sent": _sent_campaign,
    "customers": _customer,
    "customers/clean-up": _clean_up,
    "exports": lambda _: use_cases().start_export(BUSINESS_ID, "csv", CustomerFilter(q=MARK)).job.export_id,
    "imports": lambda _: use_cases().start_import(BUSINESS_ID, "csv", f"first_name\n{MARK}\n")[0].job.import_id,
    "imports/new": _draft,
    "jobs": lambda _: use_cases().job_service.start(BUSINESS_ID, JobKind.COUNT, {"wanted": {"q": MARK}}).job.job_id,
    "keys": lambda stack: use_cases().tenant_service.create_key(BUSINESS_ID, label="Till").key.key_id,
    "layouts": _layout,
    "operations/businesses": lambda _: BUSINESS_ID,
    "operations/dead-letters": lambda _: "email",
    "reference": lambda _: "customers",
    "recurring": _recurring,
    "replies": _reply,
    "segments": _segment,
    "sequences": _sequence,
    "templates": _template,
    "waivers": _waiver,
    "sign-in": lambda stack: use_cases().make_link(OWNER, BUSINESS_ID),
}
"""By what stands before the id in an address: makes one, and says its id. All are the business's of the tests.

``… of …`` makes the one for the pages of a handler's module, where others are about one of another kind.
"""


@dataclass
class Made:
    """A stack with one of everything, and who asks."""

    stack: Stack
    ids: dict[str, str]
    desks: dict[Role, Desk] = field(default_factory=dict)

    @classmethod
    def of(cls, stack: Stack) -> "Made":
        """Of everything one, once it is asked for; the customer first, since a text is theirs."""
        Desk(stack).sign_in(OWNER)
        return cls(stack, {"customers": _customer(stack)})

    def path(self, route: Route) -> str:
        """The path of a route, with an id that there is where that is known."""
        parts: list[str] = []
        kind = route.handler.split(".")[-2].partition("_")[0]
        for part in route.address.split("/"):
            before = "/".join(parts)
            name = f"{before} of {kind}"
            parts.append(self.id(name if name in THINGS else before) if part == "*" else part)
        return "/console/" + "/".join(parts)

    def id(self, before: str) -> str:
        """The id of the thing whose address begins so; ``x``, which is nobody's, where nothing makes one."""
        if before not in self.ids:
            self.ids[before] = THINGS[before](self.stack) if before in THINGS else "x"
        return self.ids[before]

    def desk(self, role: Role) -> Desk:
        """A browser of somebody with a role, who is signed in; a new one after ``forget``."""
        if role not in self.desks:
            self.desks[role] = Desk(self.stack).sign_in(f"{role}@salon.example.com", role)
        return self.desks[role]

    def forget(self) -> None:
        """What was done may have signed somebody out."""
        self.desks.clear()

    def allowed(self, route: Route) -> Desk:
        """Somebody who may; before the door where everybody may."""
        if not route.rights:
            return Desk(self.stack)
        return self.desk(next(role for role in Role if any(map(role.may, route.rights))))


class Page(HTMLParser):
    """The forms of a page, and all that its links and forms lead to."""

    def __init__(self, path: str, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.forms: list[tuple[str, str, list[tuple[str, str]]]] = []
        """The method, the path and the fields of each."""
        self._path, self._open = path, False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name in ("href", "src", "action", "formaction", "hx-get", "hx-post"):
            if name in given:
                self.addresses.append(given[name])
        if tag == "form":
            action = urljoin(f"{ORIGIN}{self._path}", given.get("action", ""))
            self.forms.append((given.get("method", "get").upper(), urlsplit(action).path, []))
            self._open = True
        elif self._open and given.get("name") and tag in ("input", "select", "textarea", "button"):
            self.forms[-1][2].append((given["name"], given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "form"


def pages(made: Made) -> Iterator[tuple[Route, Page]]:
    """Every page that is looked at, with somebody who may."""
    for route in ROUTES:
        if route.method == "GET":
            path = made.path(route)
            yield route, Page(path, made.allowed(route).get(path).text)


def fields_sent(made: Made) -> Mapping[str, Sequence[tuple[str, str]]]:
    """The fields of the form of each address: those of the pages, and those that its code asks for."""
    found: dict[str, dict[str, str]] = {route.address: {} for route in ROUTES if route.method == "POST"}
    for _, page in pages(made):
        for method, path, fields in page.forms:
            routes, _ = find(path.removeprefix("/console/").split("/"))
            if method == "POST" and "POST" in routes:
                found[routes["POST"].address] |= dict(fields)
    for route in ROUTES:
        if route.method == "POST":
            for name in names_in(route, "form|fields"):
                found[route.address].setdefault(name, "1")
    return {address: [pair for pair in fields.items() if pair[0] != CSRF] for address, fields in found.items()}


def names_in(route: Route, of: str) -> Sequence[str]:
    """The names that the module of a route asks a form, or a query, for."""
    module = import_module(f"rebound.console.http.{route.handler.rpartition('.')[0]}")
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    return sorted(set(re.findall(rf"\b(?:{of})\.(?:one|given|choice|all)\(\"([\w.-]+)\"", source)))


@contextmanager
def counted_requests() -> Iterator[list[str]]:
    """The names of the requests to AWS made meanwhile."""
    names: list[str] = []
    call: Any = vars(BaseClient)["_make_api_call"]

    def noted(client: Any, name: str, given: Any) -> Any:
        names.append(name)
        return call(client, name, given)

    with patch.object(BaseClient, "_make_api_call", noted):
        yield names


@contextmanager
def changes() -> Iterator[list[str]]:
    """What is written to AWS meanwhile."""
    written: list[str] = []
    call: Any = vars(BaseClient)["_make_api_call"]

    def noted(client: Any, name: str, given: Any) -> Any:
        if name.startswith(CHANGES):
            written.append(f"{name} {given.get('TableName', '')}")
        return call(client, name, given)

    with patch.object(BaseClient, "_make_api_call", noted):
        yield written
