"""The form of a template: what it has in whatever state it is, and the version that it is to become."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from rebound.console.http.requests import Form
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.languages import LANGUAGES
from rebound.templates.application import written_parts
from rebound.templates.application.given_version import GivenVersion
from rebound.templates.application.make_version import FromLayout, NewVersion
from rebound.templates.domain.content import Content, EmailContent
from rebound.templates.domain.typed_values import VariableType
from rebound.templates.domain.variables import Variable

if TYPE_CHECKING:
    from rebound.templates.domain.template import TemplateVersion
    from rebound.templates.domain.variables import Declared

ANY: Final = "any"
"""Stands for ``ANY_LANGUAGE`` in names of fields."""
IN_PLACE: Final = "email_content"
_PARTS: Final[Mapping[Channel, tuple[str, ...]]] = {Channel.EMAIL: ("subject", "html", "text"), Channel.SMS: ("body",)}
_MOST_ROWS: Final = 60
"""Of variables that are read: more than a template may have."""


class Section(Struct):
    """What is said in one language; ``layout`` is what it is rendered from, where it is made of blocks."""

    language: str
    parts: dict[str, str]
    layout: Any = None

    def content(self, channel: Channel) -> Content | FromLayout:
        """What it is to say. Raises ``InvalidInputError``."""
        if self.layout is not None:
            return FromLayout(self.layout)
        if channel is Channel.SMS:
            return written_parts.text(self.parts["body"], self.language)
        return written_parts.email(self.parts, self.language)


class Row(Struct):
    """A variable of the template's own as it is typed. ``stood`` is the variable that it was, if any."""

    name: str = ""
    type: str = VariableType.TEXT
    required: bool = False
    default: str = ""
    example: str = ""
    was: str = ""
    stood: Variable | None = None

    @property
    def variable(self) -> Variable:
        """The variable. The texts of its cases, which the form does not have, stay."""
        stood = self.stood or Variable()
        return Variable(
            VariableType(self.type) if self.type in set(VariableType) else VariableType.TEXT,
            self.required,
            _kept(self.default, stood.default),
            _kept(self.example, stood.example),
            stood.texts,
        )


class TemplateForm(Struct):
    """The fields of the form."""

    channel: Channel
    template_id: str = ""
    name: str = ""
    event: str = ""
    category: str = ""
    sections: list[Section] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    in_place: dict[str, str] = field(default_factory=dict)
    """The email in place of a text."""

    @property
    def languages_left(self) -> Sequence[str]:
        """In which something could be said besides."""
        return [each for each in LANGUAGES if each not in {section.language for section in self.sections}]

    @property
    def has_layouts(self) -> bool:
        """Whether any of it is made of blocks."""
        return any(section.layout is not None for section in self.sections)

    @property
    def declared(self) -> "Declared":
        """Its own variables."""
        return {row.name: row.variable for row in self.rows}

    def read(self, *, is_draft: bool) -> NewVersion:
        """The version. Raises ``InvalidInputError`` with everything that is wrong, by the fields of the form."""
        errors: list[FieldError] = []
        flaw = written_parts.flaw_of(written_parts.name, self.name, "name")
        errors += [flaw] if flaw is not None else []
        contents: dict[str, Content | FromLayout] = {}
        email_content: EmailContent | None = None
        for section in self.sections:
            try:
                contents["" if section.language == ANY else section.language] = section.content(self.channel)
            except InvalidInputError as error:
                errors += error.errors
        if any(self.in_place.values()):
            try:
                email_content = written_parts.email(self.in_place, IN_PLACE)
            except InvalidInputError as error:
                errors += error.errors
        names = [row.name for row in self.rows]
        errors += [
            FieldError(f"variables.{name}", "Is there twice.") for name in dict.fromkeys(names) if names.count(name) > 1
        ]
        if errors:
            raise InvalidInputError(*errors)
        return GivenVersion(
            name=written_parts.name(self.name),
            channel=self.channel,
            category=Category(self.category) if self.category in set(Category) else None,
            event=self.event or None,
            variables=self.declared,
            contents=contents,
            email_content=email_content,
            is_draft=is_draft,
        ).read(self.template_id)

    def beside(self, error: InvalidInputError) -> dict[str, list[str]]:
        """What is wrong, by the field of the form that it stands beside."""
        found: dict[str, list[str]] = {}
        for each in error.errors:
            found.setdefault(self._place(each.field), []).append(each.message)
        return found

    def _place(self, path: str) -> str:
        """The field of the form for a field of the API."""
        head, *rest = path.split(".")
        if head in ("content", "layout"):
            return ".".join([ANY, *(rest if head == "content" else ())])
        if head == "contents" and rest:
            return ".".join(rest[:2]) if rest[1:2] != ["layout"] else rest[0]
        if head == "variables" and rest:
            index = next((str(n) for n, row in enumerate(self.rows) if row.name == rest[0]), None)
            part = rest[1] if rest[1:] and rest[1] in ("type", "required", "default", "example") else "name"
            return f"v.{index}.{part}" if index is not None else "variables"
        return path

    def add_language(self, language: str, usual: str) -> None:
        """Say something in one language more; what everybody got is from now on said in the ``usual`` one."""
        for section in self.sections:
            if section.language == ANY:
                section.language = next(each for each in (usual, *LANGUAGES) if each != language)
        if language in self.languages_left:
            parts = dict.fromkeys(_PARTS[self.channel], "")
            self.sections.append(Section(language, parts))

    def remove_language(self, language: str) -> None:
        """Say nothing in a language any more; something is always said."""
        left = [section for section in self.sections if section.language != language]
        self.sections = left or self.sections


def empty(channel: Channel) -> TemplateForm:
    """The form of a new template."""
    return TemplateForm(channel, sections=[Section(ANY, dict.fromkeys(_PARTS[channel], ""))], in_place=_email())


def form_of(version: "TemplateVersion") -> TemplateForm:
    """The form with what a version says."""
    sections = [
        Section(
            language or ANY,
            {name: getattr(content, name) or "" for name in _PARTS[version.channel]},
            version.layouts.get(language),
        )
        for language, content in version.contents.items()
    ]
    return TemplateForm(
        version.channel,
        version.template_id,
        version.name,
        version.event or "",
        version.category,
        sections,
        [_row_of(name, version.variables[name]) for name in version.own_variables],
        _email(version.email_content),
    )


def form_in(given: Form, channel: Channel, template_id: str, stands: "TemplateVersion | None" = None) -> TemplateForm:
    """The form as it was sent. What it cannot have, layouts and texts of cases, is that of the version that stands."""
    layouts = {} if stands is None else {language or ANY: layout for language, layout in stands.layouts.items()}
    languages = [each for each in dict.fromkeys(given.all("language")) if each in (ANY, *LANGUAGES)]
    sections = [
        Section(
            language,
            {name: _typed(given, f"{language}.{name}") for name in _PARTS[channel]},
            layouts.get(language) if f"{language}.blocks" in given else None,
        )
        for language in languages
    ]
    named = () if stands is None else stands.own_variables
    rows = [
        Row(
            given.one(f"v.{number}.name"),
            given.one(f"v.{number}.type"),
            f"v.{number}.required" in given,
            given.one(f"v.{number}.default"),
            given.one(f"v.{number}.example"),
            was := given.one(f"v.{number}.was"),
            stands.variables[was] if stands is not None and was in named else None,
        )
        for number in range(_MOST_ROWS)
        if f"v.{number}.name" in given
    ]
    return TemplateForm(
        channel,
        template_id,
        given.one("name"),
        given.one("event"),
        given.one("category"),
        sections or empty(channel).sections,
        rows,
        {name: _typed(given, f"{IN_PLACE}.{name}") for name in _PARTS[Channel.EMAIL]},
    )


def worked_on(form: TemplateForm, what: str, given: Form, usual: str) -> None:
    """Do to the form what one of its buttons says, if it is one that changes no template."""
    action, _, place = what.partition(":")
    match action:
        case "add_language":
            form.add_language(given.one("new_language"), usual)
        case "remove_language":
            form.remove_language(place)
        case "add_variable":
            form.rows.append(Row())
        case "remove_variable" if place.isdecimal() and int(place) < len(form.rows):
            del form.rows[int(place)]


def _typed(given: Form, name: str) -> str:
    """A text as it was typed: browsers send other line breaks."""
    return given.one(name).replace("\r\n", "\n")


def _email(content: EmailContent | None = None) -> dict[str, str]:
    return {name: (getattr(content, name) or "") if content else "" for name in _PARTS[Channel.EMAIL]}


def _row_of(name: str, variable: Variable) -> Row:
    default, example = written(variable.default), written(variable.example)
    return Row(name, variable.type, variable.required, default, example, name, variable)


def written(value: Any) -> str:
    """A value of a variable as it is typed."""
    if isinstance(value, Mapping):
        return f"{value['amount']} {value['currency']}"
    return "" if value is None else str(value)


def _kept(typed: str, stood: Any) -> Any:
    """The value that is typed; as a program gave it, where nobody has changed it."""
    return stood if typed == written(stood) else typed or None


def used_names(declared: Mapping[str, Variable], own: Sequence[str]) -> Iterator[str]:
    """The variables of the event, which are not its own."""
    return (name for name in declared if name not in own)
