"""All settings of the business, each with what follows from it."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.console.http.layouts.form import STYLE, WEB_FONT, Kind
from rebound.console.http.requests import Form, PageAnswer, see
from rebound.console.http.visits import Visit
from rebound.contacts.domain.reachability import PolicyPreset, counts_of
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import InvalidInputError, TooSoonError
from rebound.kernel.events import MESSAGE_EVENTS
from rebound.kernel.provider_codes import TEXT_PROVIDERS

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business

_CHANNELS: Final = tuple(map(str, Channel))
_CATEGORIES: Final = tuple(map(str, Category))


class Control(Struct, frozen=True):
    """One control of the form. ``name`` is the setting, with its option after a dot."""

    name: str
    kind: str = "text"
    """As input has it, or ``lines``, ``words`` (with commas), ``switch``, ``choice``, ``checks``, ``named``: a choice
    whose values have names in every language."""
    choices: Sequence[str] = ()
    empty: bool = False
    """Whether a choice may be none."""


_KINDS: Final = {Kind.CHOICE: "choice", Kind.NUMBER: "number"}
_GROUPS: Final[Mapping[str, Sequence[Control]]] = {
    "business": (
        Control("name"),
        Control("country", "named"),
        Control("time_zone", "named"),
        Control("owner_email", "email"),
        Control("postal_address"),
        Control("booking_block_message"),
    ),
    "email": (
        Control("switches.email", "switch"),
        Control("email_from", "choice", empty=True),
        Control("email_from_name"),
        Control("reply_to", "email"),
        Control("double_opt_in.email", "switch"),
    ),
    "texts": (
        Control("switches.sms", "switch"),
        Control("switches.text_confirmations", "switch"),
        Control("text_provider", "choice", tuple(provider.value for provider in TEXT_PROVIDERS)),
        Control("text_from", "choice", empty=True),
        Control("text_rate", "number"),
        Control("smart_encoding", "switch"),
        Control("double_opt_in.sms", "switch"),
        Control("text_answers.keywords", "choice", ("rebound", "twilio")),
        Control("text_answers.language", "named"),
        Control("text_answers.confirmation_words", "words"),
    ),
    "failures": (
        Control("policy.preset", "choice", tuple(map(str, PolicyPreset))),
        Control("policy.invalid", "number"),
        Control("policy.unreachable", "number"),
        Control("recovery.spaced", "switch"),
        Control("recovery.probe_marketing", "switch"),
    ),
    "quiet": tuple(
        Control(f"quiet_hours.{channel}.{part}", kind, _CATEGORIES if kind == "checks" else ())
        for channel in ("sms", "email")
        for part, kind in (("from", "time"), ("until", "time"), ("categories", "checks"))
    ),
    "loyalty": (
        Control("loyalty_interval_days", "number"),
        Control("negative_points", "switch"),
        Control("voucher_reward_percent", "number"),
    ),
    "look": (
        *(Control(f"layout_style.{each.name}", _KINDS.get(each.kind, "text"), each.choices) for each in STYLE),
        *(Control(f"layout_style.{name}") for name in WEB_FONT),
    ),
    "programs": (
        Control("test_recipients", "lines"),
        Control("message_events", "checks", MESSAGE_EVENTS),
    ),
}
_CAPS: Final = "frequency_caps."
_CAP: Final = (
    Control("name"),
    Control("at_most", "number"),
    Control("within_days", "number"),
    Control("channel", "choice", _CHANNELS, empty=True),
    Control("per_segment", "switch"),
    Control("categories", "checks", _CATEGORIES),
)
"""Of each frequency cap."""


def show(visit: Visit) -> PageAnswer:
    """The settings now."""
    return _page(visit, _business(visit))


def save(visit: Visit) -> PageAnswer:
    """Write what differs from what the page showed: two people at once do not undo each other's work."""
    # Shapes are loaded where somebody changes something.
    from pydantic import ValidationError  # noqa: PLC0415

    from rebound.businesses.http import BusinessChangeRequest, given  # noqa: PLC0415
    from rebound.platform.http.problems import fields_of_content  # noqa: PLC0415

    business, form = _business(visit), visit.request.form
    controls = _with_caps(max(1, _caps_in(form)))
    typed = {control.name: _typed(control, form) for control in controls}
    changed = [control for control in controls if ", ".join(typed[control.name]) != form.one(f"was_{control.name}")]
    if any(control.name.startswith(_CAPS) for control in changed) and _were_changed(business, form):
        theirs = ", ".join(cap.name for cap in business.frequency_caps) or visit.words("settings.none")
        said = visit.words("settings.caps_changed", names=theirs)
        return _page(visit, business, HTTPStatus.CONFLICT, typed=typed, wrong={"frequency_caps": [said]})
    try:
        change = given(BusinessChangeRequest.model_validate(_change(changed, typed)))
        if change:
            visit.behind.change_settings(visit.business_id, change)
            names = (_CAPS[:-1] if each.name.startswith(_CAPS) else each.name for each in changed)
            visit.did(fields=list(dict.fromkeys(names)))
        else:
            visit.did_nothing()
    except ValidationError as error:
        wrong = visit.wrong(InvalidInputError(*fields_of_content(error, "")))
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    except InvalidInputError as error:
        wrong, status = visit.wrong(error), HTTPStatus.UNPROCESSABLE_ENTITY
    except TooSoonError as error:
        wrong, status = {"test_recipients": [str(error)]}, HTTPStatus.TOO_MANY_REQUESTS
    else:
        return see(visit.request.link("settings", query={"saved": "1"}))
    return _page(visit, business, status, typed=typed, wrong=_beside(wrong, controls))


def _business(visit: Visit) -> "Business":
    return visit.behind.settings_of_business.get(visit.business_id)


def _with_caps(count: int) -> Sequence[Control]:
    """All controls, with those of some caps."""
    caps = [
        Control(f"{_CAPS}{number}.{each.name}", each.kind, each.choices, each.empty)
        for number in range(count)
        for each in _CAP
    ]
    return [*(control for group in _GROUPS.values() for control in group), *caps]


def _caps_in(form: Form) -> int:
    """For how many caps there is room in a form."""
    return next(number for number in count() if f"was_{_CAPS}{number}.name" not in form)


def _were_changed(business: "Business", form: Form) -> bool:
    """Whether the caps are no longer those that the form was made from: they are written as a whole."""
    prefix = f"was_{_CAPS}"
    was = {name.removeprefix("was_"): form.one(name) for name in form.values if name.startswith(prefix)}
    now = {name: ", ".join(value).strip() for name, value in _shown(business).items() if name.startswith(_CAPS)}
    # Rows for caps that there are not yet are empty.
    return bool(was) and any(was.get(name, "") != now.get(name, "") for name in was.keys() | now.keys())


def _typed(control: Control, form: Form) -> Sequence[str]:
    if control.kind == "lines":
        return [line.strip() for line in form.one(control.name).splitlines() if line.strip()]
    if control.kind == "words":
        return [word.strip() for word in form.one(control.name).split(",") if word.strip()]
    return form.all(control.name)


def _value(control: Control, typed: Sequence[str]) -> object:
    """What was typed, as the API takes it; what is no number stays as it is, to be refused."""
    if control.kind == "switch":
        return bool(typed)
    if control.kind in ("lines", "words", "checks"):
        return list(typed)
    if not typed:
        return None
    if control.kind == "number":
        for read in (int, float):
            try:
                return read(typed[0])
            except ValueError:
                continue
    return typed[0]


_BY_OPTION: Final = ("switches", "double_opt_in", "recovery", "text_answers", "layout_style")
"""Settings of which each option changes by itself."""


def _change(changed: Sequence[Control], typed: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The change as the API takes it. What is whole there is whole here: a policy, a window, the caps."""
    names = {control.name for control in changed}
    read: Callable[[str], object] = lambda name: _value(_BY_NAME[name], typed[name])  # noqa: E731
    change: dict[str, Any] = {}
    for control in changed:
        setting, _, option = control.name.partition(".")
        if setting in _BY_OPTION and "." not in option:
            change.setdefault(setting, {})[option] = _value(control, typed[control.name])
        elif not option:
            change[setting] = _value(control, typed[control.name])
    if any(name.startswith("policy.") for name in names):
        preset = read("policy.preset")
        counts = {name: count for name in ("invalid", "unreachable") if (count := read(f"policy.{name}")) is not None}
        change["policy"] = {"preset": preset, **({"counts": counts} if preset == PolicyPreset.CUSTOM else {})}
    if names & {f"layout_style.{name}" for name in WEB_FONT}:
        change.setdefault("layout_style", {})["web_font"] = _web_font(read)
    for channel in ("sms", "email"):
        before = f"quiet_hours.{channel}."
        if any(name.startswith(before) for name in names):
            window = {part: read(before + part) for part in ("from", "until", "categories")}
            is_set = window["from"] is not None or window["until"] is not None
            change.setdefault("quiet_hours", {})[channel] = window if is_set else None
    if any(name.startswith(_CAPS) for name in names):
        change["frequency_caps"] = _caps(typed)
    return change


def _caps(typed: Mapping[str, Sequence[str]]) -> list[dict[str, object]]:
    """Those with a name: so one is added, and taken away."""
    room = sum(name.startswith(_CAPS) and name.endswith(".name") for name in typed)
    caps = [{each.name: _value(each, typed[f"{_CAPS}{number}.{each.name}"]) for each in _CAP} for number in range(room)]
    return [cap for cap in caps if cap["name"] is not None]


def _web_font(read: Callable[[str], object]) -> dict[str, object] | None:
    """Whole, or none."""
    font = {name.partition(".")[2]: read(f"layout_style.{name}") for name in WEB_FONT}
    return {name: value for name, value in font.items() if value is not None} or None


_BY_NAME: Final = {control.name: control for group in _GROUPS.values() for control in group}


def _beside(wrong: Mapping[str, Sequence[str]], controls: Sequence[Control]) -> dict[str, list[str]]:
    """What is wrong, by the control that it stands beside: the one it names, or the first of its setting."""
    found: dict[str, list[str]] = {}
    for field, said in wrong.items():
        name = field.strip(".").replace("[", ".").replace("]", "").replace("policy.counts.", "policy.")
        beside = [control.name for control in controls if name == control.name or name.startswith(f"{control.name}.")]
        # Of caps the shapes say only that one of them is wrong, and why.
        beside = beside or ([name] if name == "frequency_caps" else [])
        of_setting = [control.name for control in controls if control.name.partition(".")[0] == name.partition(".")[0]]
        found.setdefault(next(iter([*beside, *of_setting]), ""), []).extend(said)
    return found


def _shown(business: "Business") -> dict[str, Sequence[str]]:
    """What every control shows now."""
    counts = counts_of(business.policy) or {}
    shown: dict[str, Sequence[str]] = {f"policy.{name}": _text(counts.get(name)) for name in ("invalid", "unreachable")}
    shown["policy.preset"] = [str(business.policy.preset)]
    shown["test_recipients"] = [each.address for each in business.test_recipients]
    for channel in ("sms", "email"):
        window = getattr(business.quiet_hours, channel)
        shown[f"quiet_hours.{channel}.from"] = [] if window is None else [f"{window.start:%H:%M}"]
        shown[f"quiet_hours.{channel}.until"] = [] if window is None else [f"{window.end:%H:%M}"]
        kept = () if window is None else window.categories
        shown[f"quiet_hours.{channel}.categories"] = [name for name in _CATEGORIES if name in kept]
    font = business.layout_style.web_font
    shown |= {f"layout_style.{name}": _text(getattr(font, name.partition(".")[2], None)) for name in WEB_FONT}
    for number, cap in enumerate([*business.frequency_caps, None]):
        for each in _CAP:
            value = getattr(cap, each.name, None)
            kept = (
                [name for name in _CATEGORIES if name in (value or ())] if each.name == "categories" else _text(value)
            )
            shown[f"{_CAPS}{number}.{each.name}"] = kept
    for control in _BY_NAME.values():
        if control.name not in shown:
            setting, _, option = control.name.partition(".")
            value = getattr(business, setting)
            value = getattr(value, option) if option else value
            shown[control.name] = list(map(str, value)) if isinstance(value, tuple) else _text(value)
    return shown


def _text(value: object) -> Sequence[str]:
    if isinstance(value, bool):
        return ["on"] if value else []
    return [] if value is None else [f"{value:g}" if isinstance(value, float) else str(value)]


def _page(
    visit: Visit,
    business: "Business",
    status: HTTPStatus = HTTPStatus.OK,
    *,
    typed: Mapping[str, Sequence[str]] | None = None,
    wrong: Mapping[str, Sequence[str]] | None = None,
) -> PageAnswer:
    was, is_stale = _shown(business), status is HTTPStatus.CONFLICT
    senders = {
        "email_from": list(dict.fromkeys([*business.senders.email, *_text(business.email_from)])),
        "text_from": list(dict.fromkeys([*business.senders.sms, *_text(business.text_from)])),
    }
    form = visit.request.form
    named = [*was, *(typed or ())]
    shown_was = {name: ", ".join(was.get(name, ())) for name in named}
    if typed:
        # What somebody was told of is what the next form is made from.
        shown_was |= {n: form.one(f"was_{n}") for n in typed if not (is_stale and n.startswith(_CAPS))}
    values = was if typed is None else {name: typed.get(name, ()) for name in named}
    pairs = {
        "country": visit.words.countries(*values["country"]),
        "time_zone": visit.words.zones(*values["time_zone"]),
        "text_answers.language": visit.words.languages(*values["text_answers.language"]),
    }
    return visit.page(
        "settings",
        status,
        groups=_GROUPS,
        cap=_CAP,
        caps=sum(name.startswith(_CAPS) and name.endswith(".name") for name in values) - 1,
        senders=senders,
        pairs=pairs,
        values=values,
        was=shown_was,
        wrong=wrong or {},
        confirmed=business.confirmed_test_recipients,
        saved="saved" in visit.request.query,
    )
