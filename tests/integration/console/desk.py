"""The console without a browser: requests as browsers make them, and what is answered."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import urlencode, urljoin

from rebound.console.http.frame import SESSION
from rebound.console.wiring import use_cases
from rebound.contacts.domain.reachability import Failure
from rebound.kernel.channels import Channel, ContactKey
from rebound.kernel.provider_codes import Provider
from rebound.staff.domain import Role
from tests.contract.businesses.fakes import MemoryReboundMail
from tests.fakes import house
from tests.fakes.making import BUSINESS_ID, NO_SUCH_MAILBOX
from tests.integration.conftest import Stack
from tests.integration.console.site import answer_of, event_of

HOST: Final = "console.example.com"
ORIGIN: Final = f"https://{HOST}"
FORM: Final = "application/x-www-form-urlencoded"


def code_in(mail: MemoryReboundMail) -> str:
    """The code in the subject of the last email."""
    [code] = re.findall(r"\d{8}", mail.sent[-1][2])
    return str(code)


def flag(email: str) -> None:
    """Flag an address: a mail to it has just come back."""
    key = ContactKey(BUSINESS_ID, Channel.EMAIL, email)
    contact = house.ports().contacts.get_many([key])[key]
    bounce = Failure(datetime.now(UTC), "m1", Provider.SES, NO_SUCH_MAILBOX)
    house.ports().contacts.save(contact.with_evidence(bounce))


@dataclass(frozen=True)
class Seen:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    cookies: Sequence[str]
    text: str

    @property
    def location(self) -> str:
        return self.headers["Location"]


@dataclass
class Desk:
    """One browser: it keeps cookies, and sends forms from a page of the console."""

    stack: Stack
    before: str = ""
    """What a domain puts before the paths."""
    jar: dict[str, str] = field(default_factory=dict)
    _form_tokens: dict[str, str] = field(default_factory=dict)

    @property
    def csrf(self) -> str:
        """What a page has in its forms now."""
        token = self.jar[SESSION]
        if token not in self._form_tokens:
            signed_in = use_cases().sessions.find(token)
            self._form_tokens[token] = signed_in.csrf if signed_in is not None else ""
        return self._form_tokens[token]

    def get(self, path: str, method: str = "GET", **headers: str | None) -> Seen:
        return self._ask(method, path, headers, None)

    def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str | None) -> Seen:
        """With the token of the session, if there is one and ``fields`` has none."""
        token = {"csrf": self.csrf} if SESSION in self.jar else {}
        return self.send(path, urlencode({**token, **(fields or {})}), **headers)

    def send(self, path: str, body: str, **headers: str | None) -> Seen:
        return self._ask("POST", path, {"origin": ORIGIN, "content_type": FORM, **headers}, body)

    def sign_in(self, email: str = "owner@salon.example.com", role: Role = Role.OWNER) -> "Desk":
        behind, business_id = use_cases(), None if role is Role.OPERATOR else BUSINESS_ID
        behind.invite(business_id, email, role, console_url=f"{ORIGIN}/console")
        assert self.post("/console/sign-in-link", {"token": behind.make_link(email, business_id)}).status == 303
        return self

    def sign_in_by_code(self, email: str, mail: MemoryReboundMail) -> "Desk":
        """As somebody who is a member, by the code that ``mail`` gets for them."""
        self.post("/console/sign-in", {"email": email})
        assert self.post("/console/sign-in-code", {"code": code_in(mail)}).status == 303
        return self

    def go(self, path: str, seen: Seen) -> str:
        """The path that an answer sends the browser to from a path."""
        return urljoin(f"{ORIGIN}{path}", seen.location).removeprefix(ORIGIN)

    def _ask(self, method: str, path: str, headers: Mapping[str, str | None], body: str | None) -> Seen:
        cookies = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        given: dict[str, str | None] = {"host": HOST, "cookie": cookies or None, **headers}
        sent = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
        event = event_of(method, path, sent, body)
        event["path"] = f"{self.before}{event['path']}"
        answer = answer_of(self.stack, event)
        if path.endswith("choose-business"):
            self._form_tokens.clear()
        set_cookies = answer.get("multiValueHeaders", {}).get("Set-Cookie", [])
        for name, morsel in [pair for each in set_cookies for pair in SimpleCookie(each).items()]:
            if morsel["max-age"] == "0":
                self.jar.pop(name, None)
            else:
                self.jar[name] = morsel.value
        return Seen(answer["statusCode"], answer["headers"], set_cookies, answer["body"])
