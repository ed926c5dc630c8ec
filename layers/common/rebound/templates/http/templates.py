"""Templates: shapes and routes."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, Self

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query
from msgspec.structs import asdict
from pydantic import AfterValidator, Field, ValidationError

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.kernel.languages import LANGUAGES
from rebound.platform.http.problems import MalformedError, fields_of_content
from rebound.platform.http.routes import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    business_of,
    json_answer,
    no_content,
    nothing,
    responses,
)
from rebound.platform.http.shapes import Answer, DocumentedAs, FieldProblem, Request, Time, text_of
from rebound.templates import wiring
from rebound.templates.application import written_parts
from rebound.templates.application.given_version import GivenVersion
from rebound.templates.application.make_version import FromLayout, NewVersion
from rebound.templates.application.template_service import Expected, Listed, TemplateView
from rebound.templates.domain.content import ANY_LANGUAGE, Content, EmailContent, written_content
from rebound.templates.domain.template import TEMPLATE_ID, TemplateVersion
from rebound.templates.http.given_content import EmailContentRequest, GivenContent, TextContentRequest, content_of
from rebound.templates.http.given_layout import GivenLayout
from rebound.templates.http.variable_shapes import VariableAnswer, VariableShape, read_variables

SAYS: Final = ("content", "contents", "layout")
EXACTLY_ONE: Final = f"Give exactly one of {', '.join(SAYS)}."
Name = Annotated[str, AfterValidator(written_parts.name), text_of(minLength=1, maxLength=written_parts.MAX_NAME)]
TemplateInPath = Annotated[
    Annotated[str, text_of(pattern=f"^{TEMPLATE_ID.pattern}$")], Path(description="A name of your own.")
]
EventName = Annotated[str, text_of(maxLength=64, examples=["class_confirmed"])]
Saved = Literal["published", "draft"]


class LayoutContentRequest(Request):
    """An email that is rendered from a layout."""

    layout: GivenLayout


GivenTranslation = Annotated[
    dict[str, Any],
    DocumentedAs(lambda: EmailContentRequest | TextContentRequest | LayoutContentRequest),
    Field(
        description="As content; for email also a layout, by that name.",
        examples=[{"subject": "Ihr Kurs", "text": "Bis bald, ##{{first_name}}."}, {"body": "Bis bald."}],
    ),
]


class TemplateRequest(Request):
    """A template: exactly one of ``content``, ``contents`` and ``layout`` says what messages made from it say."""

    name: Name = Field(examples=["Class confirmed"])
    channel: Annotated[Channel, Field(strict=False)]
    event: EventName | None = Field(
        default=None,
        description="What it is about, as GET /v1/template-events lists it: messages may be given the variables of the "
        "event as well.",
    )
    category: Annotated[Category, Field(strict=False)] | None = Field(
        default=None,
        description="What kind of message it is for: which links of ours it may have. That of its event, or "
        "transactional, where it is left out.",
    )
    variables: dict[str, VariableShape] = Field(
        default_factory=dict,
        examples=[{"class_name": {"type": "text", "required": True, "example": "Vinyasa"}}],
    )
    content: GivenContent | None = None
    contents: dict[str, GivenTranslation] | None = Field(
        default=None,
        description=f"Content by language ({', '.join(LANGUAGES)}): everybody gets that of their own language, else "
        "of the business's, else English, else the first.",
    )
    layout: GivenLayout | None = Field(default=None, description="For email: blocks, with a subject.")
    email_content: GivenContent | None = Field(
        default=None, description="Of a template for texts: what goes by email where the text plan is used up."
    )
    status: Saved = Field(
        default="published",
        description="A draft is kept beside what is published, until it is published or another takes its place.",
    )

    def read(self, template_id: str) -> NewVersion:
        """The version that is to be saved under an id, which may name an event. Raises ``InvalidInputError``."""
        return GivenVersion(
            name=self.name,
            channel=self.channel,
            category=self.category,
            event=self.event,
            variables=read_variables(self.variables),
            contents=self._contents(),
            email_content=self._email_content(),
            is_draft=self.status == "draft",
        ).read(template_id)

    def _contents(self) -> Mapping[str, Content | FromLayout]:
        given = [name for name in SAYS if getattr(self, name) is not None]
        if len(given) != 1:
            raise InvalidInputError(FieldError(given[1] if given else "content", EXACTLY_ONE))
        if self.contents is None:
            only = self.content if self.content is not None else {"layout": self.layout}
            return {ANY_LANGUAGE: _content(self.channel, only, "layout" if self.content is None else "content")}
        errors: list[FieldError] = []
        contents: dict[str, Content | FromLayout] = {}
        if not self.contents:
            errors.append(FieldError("contents", "Must have at least one language."))
        for language, each in self.contents.items():
            path = f"contents.{language}"
            if language not in LANGUAGES:
                errors.append(FieldError.unknown(path, f"Must be one of {', '.join(LANGUAGES)}.", language, LANGUAGES))
                continue
            try:
                contents[language] = _content(self.channel, each, path)
            except InvalidInputError as error:
                errors.extend(error.errors)
        if errors:
            raise InvalidInputError(*errors)
        return contents

    def _email_content(self) -> EmailContent | None:
        if self.email_content is None:
            return None
        content = _content(Channel.EMAIL, self.email_content, "email_content")
        return content if isinstance(content, EmailContent) else None


class TemplateChangeRequest(Request):
    """Fields to set; what is left out stays.

    Of content, contents and layout, one replaces another. Of ``contents`` and ``variables`` only those that are named
    change, and ``null`` removes one: who edits one language leaves the others as they are.
    """

    name: Name = ""
    event: EventName | None = None
    category: Annotated[Category, Field(strict=False)] = Category.TRANSACTIONAL
    variables: dict[str, VariableShape | None] = Field(default_factory=dict)
    content: GivenContent | None = None
    contents: dict[str, GivenTranslation | None] | None = None
    layout: GivenLayout | None = None
    email_content: GivenContent | None = None
    status: Saved | None = Field(
        default=None,
        description="draft: the change is made to the draft, or to a draft of what is published. Else to what is "
        "published, or to the draft where nothing is.",
    )

    def change(self, before: TemplateVersion) -> NewVersion:
        """What the version is to be. Raises ``InvalidInputError``, and ``ValidationError`` for its content."""
        given = self.model_fields_set
        after = _as_request(before)
        for name in given & {"name", "category", "event", "email_content"}:
            after[name] = getattr(self, name)
        if "variables" in given:
            stood = after["variables"]
            named = {
                name: None if each is None else {**stood.get(name, {}), **each.model_dump(exclude_unset=True)}
                for name, each in self.variables.items()
            }
            after["variables"] = _merged(stood, named)
        chosen = [name for name in SAYS if name in given and getattr(self, name) is not None]
        if len(chosen) > 1 or (not chosen and any(name in given and after[name] is not None for name in SAYS)):
            raise InvalidInputError(FieldError(chosen[1] if chosen else _first(given, SAYS), EXACTLY_ONE))
        for name in chosen:
            said = getattr(self, name)
            stood = after["contents"] or {}
            after.update(dict.fromkeys(SAYS), **{name: _merged(stood, said) if name == "contents" else said})
        return TemplateRequest.model_validate(after).read(before.template_id)


class TemplateAnswer(Answer):
    """A template, and one of its versions: what is published, unless another was asked for."""

    template_id: str
    name: str
    event: str | None
    channel: Channel
    category: Category
    version: int = Field(description="That which is shown. Each that is saved gets the next number.")
    status: Literal["published", "draft", "superseded"]
    published_version: int | None = Field(description="From which messages are made now.")
    draft_version: int | None
    is_default: bool = Field(description="The default template of an event, as it is; edits make it your own.")
    saved_at: Time | None = Field(description="Null for a default that nobody has used or edited.")
    variables: dict[str, VariableAnswer] = Field(
        description="What messages may be given: the variables of its event, and its own."
    )
    content: GivenContent | None
    contents: dict[str, GivenTranslation] | None
    layout: GivenLayout | None
    email_content: GivenContent | None
    warnings: list[FieldProblem] = Field(
        description="Of what was just saved: what had better be mended in a layout, and HTML that Gmail would clip."
    )

    @classmethod
    def of(cls, view: TemplateView) -> Self:
        """The answer for a version."""
        template, version = view.template, view.version
        shown = _as_request(version)
        current = {template.published: "published", template.draft: "draft"}
        # A default is published, with the next number, also before anybody has saved it.
        is_unsaved = view.is_default and version.version > template.latest
        return cls(
            **{**shown, "variables": {name: VariableAnswer.filled(each) for name, each in version.variables.items()}},
            is_default=view.is_default,
            template_id=version.template_id,
            version=version.version,
            status="published" if is_unsaved else current.get(version.version, "superseded"),
            published_version=version.version if is_unsaved else template.published or None,
            draft_version=template.draft or None,
            saved_at=None if is_unsaved else version.saved_at,
            warnings=[FieldProblem.of(warning) for warning in view.warnings],
        )


class ListedTemplateAnswer(Answer):
    """A template, without what it says."""

    template_id: str
    name: str
    event: str | None
    channel: Channel
    category: Category
    languages: list[str] = Field(description="Empty where everybody gets the same.")
    published_version: int | None
    draft_version: int | None
    is_default: bool = Field(description="The default template of an event, as it is.")
    saved_at: Time | None = Field(description="Null for a default that nobody has used or edited.")

    @classmethod
    def of(cls, listed: Listed) -> Self:
        """The answer for a template."""
        template, about = listed.template, listed.about
        return cls.filled(
            about,
            template_id=template.template_id,
            languages=list(about.languages),
            published_version=template.latest + 1 if listed.unsaved is not None else template.published or None,
            draft_version=template.draft or None,
            is_default=listed.is_default,
        )


class TemplatePage(Answer):
    """Part of a list of templates."""

    items: list[ListedTemplateAnswer]
    next_cursor: str | None


def _content(channel: Channel, given: Mapping[str, Any], path: str) -> Content | FromLayout:
    """The content that stands at a path. Raises ``InvalidInputError``."""
    if "layout" in given:
        if channel is not Channel.EMAIL:
            raise InvalidInputError(FieldError(path, "A layout is for email only; a text has a body."))
        if given.keys() != {"layout"} or not isinstance(given["layout"], Mapping):
            raise InvalidInputError(FieldError(path, "With a layout, which is an object, it has nothing else."))
        return FromLayout(given["layout"])
    try:
        return content_of(channel, given)
    except ValidationError as error:
        raise InvalidInputError(*fields_of_content(error, path)) from None


def _as_request(version: TemplateVersion) -> dict[str, Any]:
    """A version as a request would have it."""

    def said(language: str) -> dict[str, Any]:
        if language in version.layouts:
            return {"layout": dict(version.layouts[language])}
        return written_content(version.contents[language])

    is_same = ANY_LANGUAGE in version.contents
    only = said(ANY_LANGUAGE) if is_same else {}
    email_content = version.email_content
    return {
        "name": version.name,
        "channel": version.channel,
        "category": version.category,
        "event": version.event,
        "variables": {name: asdict(version.variables[name]) for name in version.own_variables},
        "content": only if is_same and "layout" not in only else None,
        "contents": None if is_same else {language: said(language) for language in version.contents},
        "layout": only.get("layout"),
        "email_content": None if email_content is None else written_content(email_content),
    }


def _merged(before: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in {**before, **named}.items() if each is not None}


def _first(given: set[str], names: Sequence[str]) -> str:
    return next(name for name in names if name in given)


# --- versions in headers (RFC 9110, 8.8.3 and 13.1) -------------------------------------------------------------------

_TAGS: Final = re.compile(r'\s*(?:\*|(?:W/)?"[^"]*"(?:\s*,\s*(?:W/)?"[^"]*")*)\s*')
_TAG: Final = re.compile(r'"([^"]*)"')
IfMatch = Annotated[
    str | None, Header(description="The ETag of the answer on which an edit rests: 412 if it was changed since.")
]
IfNoneMatch = Annotated[str | None, Header(description="*: only if there is no such template yet, else 412.")]


def expected(if_match: str | None, if_none_match: str | None = None) -> Expected:
    """What a client says of the template's state. Raises ``MalformedError``."""
    if if_none_match is not None and if_none_match.strip() != "*":
        raise MalformedError("If-None-Match must be *.")
    if if_match is None:
        return Expected(is_new=if_none_match is not None)
    if not _TAGS.fullmatch(if_match):
        raise MalformedError('If-Match must be * or an ETag as it was given, such as "1767225600000".')
    tags = tuple(_TAG.findall(if_match)) or ("*",)
    return Expected(tags, is_new=if_none_match is not None)


def _shown(view: TemplateView) -> Response[str]:
    answer = json_answer(TemplateAnswer.of(view))
    answer.headers["ETag"] = f'"{view.template.tag}"'
    return answer


def _responses() -> dict[int, Any]:
    described = responses(TemplateAnswer)
    headers = {"ETag": {"description": "The template's state, for If-Match.", "schema": {"type": "string"}}}
    described[int(HTTPStatus.OK)] |= {"headers": headers}
    return _may_be_changed(described)


def _may_be_changed(described: dict[int, Any]) -> dict[int, Any]:
    described[int(HTTPStatus.PRECONDITION_FAILED)] = {
        **described[int(HTTPStatus.CONFLICT)],
        "description": "Changed since it was read",
    }
    return described


def add_routes(app: APIGatewayRestResolver) -> None:
    """The routes."""
    tags = ["Templates"]
    one = _responses()

    @app.get(
        "/v1/templates",
        summary="List templates by id; a page may be short only after five hundred that do not match",
        tags=tags,
        responses=responses(TemplatePage),
    )
    def list_templates(
        q: Annotated[
            str | None,
            Query(
                min_length=1,
                max_length=200,
                description="Only those with all these words, or parts of words, in name or text.",
            ),
        ] = None,
        event: Annotated[str | None, Query(description="Only those of this event.")] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[str]:
        page = wiring.use_cases().template_service.page(business_of(app), limit, cursor, q, event)
        items = [ListedTemplateAnswer.of(listed) for listed in page.items]
        return json_answer(TemplatePage(items=items, next_cursor=page.next_cursor))

    @app.put("/v1/templates/<template_id>", summary="Create or replace a template", tags=tags, responses=one)
    def put_template(
        template_id: TemplateInPath,
        request: Annotated[TemplateRequest, Body()],
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> Response[str]:
        return _shown(
            wiring.use_cases().template_service.put(
                business_of(app), template_id, request.read(template_id), expected(if_match, if_none_match)
            )
        )

    @app.get("/v1/templates/<template_id>", summary="Read a template", tags=tags, responses=one)
    def get_template(
        template_id: TemplateInPath,
        version: Annotated[int | None, Query(ge=1, description="One that was published once.")] = None,
        status: Annotated[Saved | None, Query(description="draft: the draft.")] = None,
    ) -> Response[str]:
        if version is not None and status is not None:
            raise InvalidInputError(FieldError("status", "Give version or status, not both."))
        return _shown(
            wiring.use_cases().template_service.get(
                business_of(app), template_id, number=version, is_draft=status == "draft"
            )
        )

    @app.patch("/v1/templates/<template_id>", summary="Edit a template", tags=tags, responses=one)
    def change_template(
        template_id: TemplateInPath,
        request: Annotated[TemplateChangeRequest, Body()],
        if_match: IfMatch = None,
    ) -> Response[str]:
        return _shown(
            wiring.use_cases().template_service.change(
                business_of(app),
                template_id,
                request.change,
                expected(if_match),
                is_draft=None if request.status is None else request.status == "draft",
            )
        )

    @app.delete(
        "/v1/templates/<template_id>",
        summary="Remove a template, or its draft; what was made from it is sent all the same. A default is there again",
        tags=tags,
        responses=_may_be_changed(no_content()),
    )
    def delete_template(
        template_id: TemplateInPath,
        status: Annotated[Literal["draft"] | None, Query(description="draft: only the draft.")] = None,
        if_match: IfMatch = None,
    ) -> Response[str]:
        wiring.use_cases().template_service.delete(
            business_of(app), template_id, expected(if_match), draft_alone=status is not None
        )
        return nothing()

    @app.post(
        "/v1/templates/<template_id>/publish",
        summary="Let messages be made from the draft",
        tags=tags,
        responses=one,
    )
    def publish_template(template_id: TemplateInPath, if_match: IfMatch = None) -> Response[str]:
        return _shown(wiring.use_cases().template_service.publish(business_of(app), template_id, expected(if_match)))

    @app.post(
        "/v1/templates/<template_id>/reset",
        summary="Take a default template back to what it says by default, as a new version",
        tags=tags,
        responses=one,
    )
    def reset_template(template_id: TemplateInPath, if_match: IfMatch = None) -> Response[str]:
        return _shown(wiring.use_cases().template_service.reset(business_of(app), template_id, expected(if_match)))
