"""What forms do, by name: each has its form and its words, and what is shown of it is in the reader's language."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

import rebound.console.http
from rebound.console.domain.deeds import Deed
from rebound.console.http.history.shown import shown
from rebound.console.http.requests import PageRequest
from rebound.console.http.routes import ROUTES, SIGNED_IN
from rebound.console.http.words import LANGUAGES, Words
from rebound.staff.domain import AuditEntry

HTTP: Final = Path(rebound.console.http.__file__).parent
AT: Final = datetime(2026, 11, 30, 9, tzinfo=UTC)
CHANGES_NOTHING: Final = {
    "campaigns/*/again",
    "customers",
    "customers/clean-up",
    "layouts/*/frame",
    "operations/businesses",
    "sequences/*/people",
    "settings/look",
    "templates/*/preview",
}
"""Forms that ask or look for something."""


def test_every_form_has_a_name_for_what_it_does_unless_it_only_asks() -> None:
    """And only a form has; that these change nothing is tried in integration/console/test_history."""
    silent = {each.address for each in ROUTES if each.method == "POST" and each.rights and not each.does}
    assert silent - {each.address for each in ROUTES if each.rights == SIGNED_IN} == CHANGES_NOTHING
    assert [each.address for each in ROUTES if each.does and (each.method != "POST" or not each.rights)] == []


def test_every_name_is_some_form_s() -> None:
    assert {deed for each in ROUTES for deed in each.does} == set(Deed)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("deed", Deed)
def test_every_name_and_its_kind_have_words(deed: Deed, language: str) -> None:
    words = Words(language)
    assert words.has(f"did.{deed}")
    assert words.has(f"history.kind.{deed.kind}")
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", deed)


def test_where_a_form_may_do_several_things_its_code_says_which() -> None:
    for each in ROUTES:
        if len(each.does) > 1:
            module = HTTP.joinpath(*each.handler.split(".")[:-1]).with_suffix(".py")
            source = module.read_text(encoding="utf-8")
            assert [deed for deed in each.does if f"Deed.{deed.name}" not in source] == [], each.address


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_detail_that_code_gives_has_a_label(language: str) -> None:
    names = {
        keyword.arg
        for path in HTTP.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("visit.did", "_done")
        for keyword in call.keywords
        if keyword.arg not in (None, "of", "name", "once")
    }
    assert names >= {"fields", "role", "number", "sender", "by_hand", "decision", "profile", "booked", "price"}
    words = Words(language)
    assert [name for name in names if not words.has(f"history.detail.{name}")] == []


def entry(did: str, **given: Any) -> AuditEntry:
    return AuditEntry("01", AT, "m-1", "ana@example.com", did, **given)


def of(given: AuditEntry, language: str = "en") -> Any:
    request = PageRequest("GET", ["history"], "./", None, None, {})  # type: ignore[arg-type]
    return shown(SimpleNamespace(words=Words(language), request=request), given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "what", "details"),
    [
        (
            "en",
            "Settings changed",
            ["Changed: Time zone, Send texts, Frequency caps, other", "Number: 1,200"],
        ),
        ("de", "Einstellungen geändert", None),
        ("it", "Impostazioni modificate", None),
    ],
)
def test_details_are_in_the_reader_s_words(language: str, what: str, details: list[str] | None) -> None:
    fields = ["time_zone", "switches.sms", "frequency_caps", "other"]
    line = of(entry("settings.changed", details={"fields": fields, "number": ["1200"]}), language)
    assert line.what == what
    assert details is None or line.details == details
    assert "switches" not in str(line.details)


def test_what_another_version_has_written_is_shown_as_it_is() -> None:
    line = of(entry("voucher.minted", object_id="<b>", name="<i>", details={"colour": ["red", "<b>"]}))
    assert (line.what, line.name, line.where, line.details) == ("voucher.minted", "<i>", None, ["red, <b>"])


@pytest.mark.parametrize(
    ("did", "where"),
    [
        ("campaign.sent", "./campaigns/a%2Fb"),
        ("clean_up.begun", "./customers/clean-up/a%2Fb"),
        ("business.booked", "./operations/businesses/a%2Fb"),
        ("key.revoked", "./keys"),
        ("staff.invited", "./staff"),
        ("segment.deleted", None),
        ("stack.holds_off", None),
    ],
)
def test_a_line_leads_to_what_it_is_about_unless_that_is_gone(did: str, where: str | None) -> None:
    assert of(entry(did, object_id="a/b")).where == where
