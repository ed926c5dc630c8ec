"""What campaigns say, as forms have it: a template or words of one's own, and a voucher."""

import re
from collections.abc import Mapping, Sequence
from copy import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from rebound.console.http.requests import Form
from rebound.console.http.typed import whole_number
from rebound.console.http.visits import Visit
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError, NotFoundError
from rebound.messages.domain.vouchers import MOST_DAYS, Voucher, VoucherKind
from rebound.templates.domain.content import UNWRITTEN, EmailContent, MadeFrom, Said, TemplateContent, TextContent
from rebound.templates.domain.typed_values import allowed
from rebound.templates.domain.variables import Variable

if TYPE_CHECKING:
    from rebound.campaigns.domain.campaigns import Campaign
    from rebound.templates.application.measure_text import MeasuredText
    from rebound.templates.domain.template import TemplateVersion

MOST_TEMPLATES: Final = 100
"""Of which one can be chosen."""
OWN: Final = ("subject", "text", "html", "body")
VOUCHER: Final = ("kind", "value", "currency", "valid_from", "valid_until", "valid_days")
VARIABLE: Final = "variables."
_SEVERAL: Final = 2
_LINES: Final = ("text", "html", "body")
_OF_VARIANT: Final = re.compile(r"variants(?:\[(\d)\]|\.(\d))\.(?:content\.)?(.*)")


class ShownVariable(Struct, frozen=True):
    """A variable of a template that may be given a value."""

    name: str
    required: bool
    hint: str


class ShownContent(Struct, frozen=True):
    """What the form of a content is made of besides what is typed."""

    channel: Channel
    templates: Sequence[tuple[str, str]]
    """The id and the name of each of the channel that is published."""
    variables: Sequence[ShownVariable]
    measured: "MeasuredText | None"
    flaws: Sequence[str]
    """Why a text cannot be measured."""
    is_found: bool = False
    """Whether the template that is chosen is there, and published."""
    published: Mapping[str, int] = MappingProxyType({})
    """The number of the published version of each of the templates."""
    is_by_tier: bool = False


def typed_of(said: Said, voucher: Voucher | None) -> dict[str, str]:
    """A content and a voucher as the form has them."""
    typed = dict.fromkeys((*OWN, "template_id", *(f"voucher.{name}" for name in VOUCHER)), "")
    typed["say"] = "template" if isinstance(said, TemplateContent) else "own"
    match said:
        case TemplateContent(made_from=made_from):
            typed["template_id"] = made_from.template_id
            typed |= {f"{VARIABLE}{name}": _typed(value) for name, value in made_from.variables.items()}
        case EmailContent():
            typed |= {"subject": said.subject, "text": said.text or "", "html": said.html or ""}
        case TextContent():
            typed["body"] = said.body
    if voucher is not None:
        typed |= {f"voucher.{name}": _typed(getattr(voucher, name)) for name in VOUCHER}
    return typed


def _typed(value: Any) -> str:
    if isinstance(value, Mapping):
        # An amount of money is the only value of two parts.
        return f"{value['amount']} {value['currency']}"
    return "" if value is None else str(value)


def typed_in(form: Form) -> dict[str, str]:
    """What somebody has typed, by the names of the fields."""
    names = ("say", *OWN, "template_id", *(f"voucher.{name}" for name in VOUCHER))
    typed = {name: form.one(name) for name in names}
    # Browsers send a line break as two characters, of which each would count.
    typed |= {name: typed[name].replace("\r\n", "\n") for name in _LINES}
    return typed | {name: form.one(name) for name in form.values if name.startswith(VARIABLE)}


def content_of(visit: Visit, typed: Mapping[str, str], channel: Channel, category: Category, before: Said) -> Said:
    """What is to be said. Raises ``InvalidInputError`` with the names of the form's fields."""
    if typed["say"] == "template":
        return _made(visit, typed, channel, category)
    unwritten = UNWRITTEN[channel is not Channel.EMAIL]
    names = OWN[:3] if channel is Channel.EMAIL else OWN[3:]
    if not any(typed[name] for name in names):
        return unwritten
    # Only who has written something needs the shapes of the API.
    from pydantic import ValidationError  # noqa: PLC0415

    from rebound.platform.http.problems import fields_of_content  # noqa: PLC0415
    from rebound.templates.http.given_content import content_of as read  # noqa: PLC0415

    given = {name: typed[name] for name in names if typed[name] or name in ("subject", "body")}
    try:
        said = read(channel, given)
    except ValidationError as error:
        raise InvalidInputError(*map(in_form, fields_of_content(error))) from None
    if isinstance(said, TextContent) and isinstance(before, TextContent):
        # Only programs give an email for those whom the text plan has no room for.
        return replace(said, email_content=before.email_content)
    return said


def _made(visit: Visit, typed: Mapping[str, str], channel: Channel, category: Category) -> Said:
    if not typed["template_id"]:
        raise InvalidInputError(FieldError("template_id", visit.words("compose.choose_template")))
    version = template_of(visit, typed)
    declared = {} if version is None else version.variables
    given = {name: typed[f"{VARIABLE}{name}"] for name in declared if typed.get(f"{VARIABLE}{name}")}
    made_from = MadeFrom(typed["template_id"], None, given)
    return visit.behind.template_contents.made(visit.business_id, made_from, channel, category)


def template_of(visit: Visit, typed: Mapping[str, str]) -> "TemplateVersion | None":
    """What is published of the template that is chosen."""
    if typed["say"] != "template" or not typed["template_id"]:
        return None
    try:
        return visit.behind.template_service.get(visit.business_id, typed["template_id"]).version
    except NotFoundError:
        return None


def voucher_of(visit: Visit, typed: Mapping[str, str]) -> Voucher | None:
    """The voucher that is typed, not checked. Raises ``InvalidInputError`` for what is no number of days."""
    given = {name: typed[f"voucher.{name}"] or None for name in VOUCHER}
    kind, days = given["kind"], given["valid_days"]
    if kind not in list(VoucherKind):
        return None
    valid_days = None if days is None else whole_number(days, MOST_DAYS, 1)
    if days is not None and valid_days is None:
        wrong = visit.words("recurring.number_wrong", least=1, most=MOST_DAYS)
        raise InvalidInputError(FieldError("voucher.valid_days", wrong))
    return Voucher(
        kind=VoucherKind(kind),
        value=given["value"] or "",
        currency=given["currency"],
        valid_from=given["valid_from"],
        valid_until=given["valid_until"],
        valid_days=valid_days,
    )


def shown_content(
    visit: Visit, typed: Mapping[str, str], channel: Channel, *, is_by_tier: bool = False, is_to_all: bool = True
) -> ShownContent:
    """What the form needs to be shown; all but the templates is of what is said to everybody, if that is so."""
    listed = visit.behind.template_service.page(visit.business_id, MOST_TEMPLATES, None, business=visit.of_business)
    found = [
        each
        for each in listed.items
        # Those of events say what happened to one customer.
        if each.about.channel is channel and each.template.published and each.about.event is None
    ]
    templates = [(each.template.template_id, each.about.name) for each in found]
    published = {each.template.template_id: each.template.published for each in found}
    if not is_to_all:
        return ShownContent(channel, templates, (), None, (), published=published)
    version, measured, flaws = template_of(visit, typed), None, list[str]()
    # A page that opens has itself measured when it is there, for which more is read.
    if channel is Channel.SMS and typed["say"] == "own" and visit.request.method == "POST":
        measured, flaws = measured_of(visit, typed)
    is_found = version is not None
    return ShownContent(channel, templates, variables_of(version), measured, flaws, is_found, published, is_by_tier)


def variables_of(version: "TemplateVersion | None") -> Sequence[ShownVariable]:
    """What a template wants to know."""
    return [] if version is None else [_shown(name, each) for name, each in version.variables.items()]


def measured_of(visit: Visit, typed: Mapping[str, str]) -> tuple["MeasuredText | None", list[str]]:
    """How large the text is that is typed; or why that cannot be told."""
    try:
        return visit.behind.measure_text(visit.business_id, typed["body"], _of_voucher(typed)), []
    except InvalidInputError as error:
        return None, [each.message for each in error.errors]


def _of_voucher(typed: Mapping[str, str]) -> Mapping[str, Variable]:
    from rebound.templates.domain.variables import of_vouchers  # noqa: PLC0415

    return of_vouchers() if typed["voucher.kind"] else {}


def _shown(name: str, variable: Variable) -> ShownVariable:
    return ShownVariable(name, variable.required and variable.default is None, allowed(variable.type))


def with_templates(visit: Visit, campaign: "Campaign") -> "Campaign":
    """The campaign with what its variants say that are made from several templates, in few requests; else as it is."""
    made_from = [each.made_from for each in campaign.all_said if isinstance(each, TemplateContent)]
    if len({each.template_id for each in made_from}) < _SEVERAL:
        return campaign
    numbers = {each.template_id: each.version for each in made_from}
    if None in numbers.values():
        service = visit.behind.template_service
        listed = service.page(visit.business_id, MOST_TEMPLATES, None, own=True, business=visit.of_business)
        known = {each.template.template_id: each.template.published for each in listed.items}
        numbers = {name: known.get(name) if number is None else number for name, number in numbers.items()}
    versions = visit.behind.ports.templates.versions(
        visit.business_id, {name: number for name, number in numbers.items() if number}
    )

    def read(said: Said) -> Said:
        if not isinstance(said, TemplateContent) or said.made_from.template_id not in versions:
            return said
        return versions[said.made_from.template_id].content_for(said.made_from, said.mark)

    return campaign.with_said(read)


def beside_fields(visit: Visit, error: InvalidInputError) -> dict[str, list[str]]:
    """What is wrong, by the names of the form's fields."""
    return visit.wrong(InvalidInputError(*map(in_form, error.errors)))


def in_form(error: FieldError) -> FieldError:
    """What is wrong, by the name of its field in the form; those of the first variant begin with ``v0.``."""
    place = _OF_VARIANT.fullmatch(error.field)
    if place is not None:
        return replace(error, field=f"v{place[1] or place[2]}.{place[3]}")
    return replace(error, field=error.field.removeprefix("content.").removeprefix("audience."))
