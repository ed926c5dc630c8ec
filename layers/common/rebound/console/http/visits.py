"""Somebody who is signed in and asks for a page."""

from collections.abc import Mapping, Sequence
from copy import replace
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.console.domain.deeds import Deed
from rebound.console.http.rendering import html
from rebound.console.http.requests import PageAnswer, PageRequest
from rebound.console.http.routes import PAGES, find
from rebound.console.http.words import Words, language_of
from rebound.kernel.errors import InvalidInputError
from rebound.staff.domain import Right

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business
    from rebound.console.wiring import ConsoleUseCases
    from rebound.staff.domain import SignedIn, StaffMember


_SPOKEN: Final = frozenset({"wrong", "said", "flaws", "warnings", "unreadable"})
"""The values of pages that have what use cases say, or sentences of the console's own."""


class Done(Struct, frozen=True):
    """What a handler says that it has done, for the audit log; ``deed`` is ``None`` for what its route alone does.

    ``once`` is as ``AuditLog.write`` has it.
    """

    deed: Deed | None
    object_id: str | None
    name: str | None
    details: Mapping[str, Sequence[str]]
    once: bool


class Visit:
    """A request with what its page is made of. ``signed_in`` is ``None`` on the pages by which people sign in."""

    def __init__(self, request: PageRequest, behind: "ConsoleUseCases", signed_in: "SignedIn | None") -> None:
        self.request, self.behind, self._signed_in = request, behind, signed_in
        self.done: Done | None = None
        """What was done, as far as the handler says it."""
        self.is_nothing_done = False

    @property
    def me(self) -> "SignedIn":
        """Who asks."""
        assert self._signed_in is not None, "the route's right sees to that"  # noqa: S101 - a fault of ours
        return self._signed_in

    @property
    def member(self) -> "StaffMember | None":
        """Who they are where they look; ``None`` while they have not chosen among several businesses."""
        return self._signed_in.member if self._signed_in is not None else None

    @property
    def business_id(self) -> str:
        """The business that they look at."""
        business_id = self.member.business_id if self.member is not None else None
        assert business_id is not None, "the route's rights see to that"  # noqa: S101 - a fault of ours
        return business_id

    @cached_property
    def business(self) -> "Business | None":
        """Its settings, read once for a page; ``None`` where nobody looks at a business."""
        if self.member is None or self.member.business_id is None:
            return None
        return self.behind.ports.businesses.get(self.member.business_id)

    @property
    def of_business(self) -> "Business":
        """The settings of the business that they look at."""
        assert self.business is not None, "the route's rights see to that"  # noqa: S101 - a fault of ours
        return self.business

    @cached_property
    def words(self) -> Words:
        """The page's language, and the business's zone where there is one."""
        chosen = self.member.language if self.member is not None else None
        language = language_of(chosen, self.request.headers.get("accept-language", ""))
        return Words(language, self.business.time_zone if self.business is not None else "UTC")

    def may(self, right: Right) -> bool:
        """Whether they may do something; whoever is signed in may sign out."""
        return self.member.role.may(right) if self.member is not None else True

    def did(
        self,
        deed: Deed | None = None,
        *,
        of: str | None = None,
        name: str | None = None,
        once: bool = False,
        **details: str | Sequence[str],
    ) -> None:
        """Say what was done, for the audit log: once it was, and where the route alone does not say it.

        ``of`` is the id of what it was done to, where the address has none, and ``name`` what that is called; never
        the name of a customer. ``details`` are few: see ``history.entries.DETAILS``.
        """
        told = {key: (value,) if isinstance(value, str) else tuple(value) for key, value in details.items()}
        self.done = Done(deed, of, name, told, once)

    def did_nothing(self) -> None:
        """Say that a form led on and yet changed nothing."""
        self.is_nothing_done = True

    def page(self, template: str, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> PageAnswer:
        """A page of the console, in its frame."""
        shown = {
            "w": self.words,
            "request": self.request,
            "root": self.request.root,
            "link": self.request.link,
            "me": self._signed_in,
            "csrf": self._signed_in.csrf if self._signed_in is not None else "",
            "business": self.business,
            "pages": self._pages if self.member is not None else (),
            "base": "page.html",
            "may": lambda right: self.may(Right[right]),
            **{name: self._said(value) if name in _SPOKEN else value for name, value in values.items()},
        }
        return PageAnswer(status, html(template, shown))

    def _said(self, value: Any) -> Any:
        """What use cases say, in the page's language, in whatever it is gathered."""
        match value:
            case str():
                return self.words.said(value)
            case Mapping():
                return {name: self._said(each) for name, each in value.items()}
            case list() | tuple():
                return [self._said(each) for each in value]
        return value

    @property
    def _pages(self) -> Sequence[str]:
        """Those that they may see."""
        return [name for name in PAGES if any(map(self.may, find([name])[0]["GET"].rights))]

    def instead(self, template: str, status: HTTPStatus, **values: Any) -> PageAnswer:
        """A page in place of the one that was asked for; a script gets it as a note above the page that is there.

        So what somebody has typed there stays, whatever part of the page the script wanted.
        """
        if not self.request.by_script:
            return self.page(template, status, **values)
        answer = self.page(template, status, base="note.html", **values)
        return replace(
            answer,
            headers={"HX-Retarget": "#note", "HX-Reselect": "#note > *", "HX-Reswap": "innerHTML show:window:top"},
        )

    def wrong(self, error: InvalidInputError) -> dict[str, list[str]]:
        """What is wrong with a form, by the field that it is about."""
        found: dict[str, list[str]] = {}
        for each in error.errors:
            found.setdefault(each.field, []).append(each.message)
        return found
