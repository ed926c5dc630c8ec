"""Writes the pages of the API reference, one for each tag of the OpenAPI document, as pieces of HTML.

They are written when the document is (`make openapi`), and not when somebody looks: the document is a megabyte.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from msgspec import Struct

import rebound.console.http
from local.api_reference.examples import SCHEMAS, Examples
from rebound.api.areas import API
from rebound.kernel.problem_codes import PROBLEMS
from rebound.platform.http.openapi import operations

PAGES: Final = Path(rebound.console.http.__file__).parent / "reference_pages"
INDEX, ERRORS = "index", "errors"
KEYS: Final = {"key": "API_KEY", "operator_key": "OPERATOR_KEY"}
"""What examples call the key of each kind."""
SPANS: Final = re.compile(r"``(.+?)``|`(.+?)`")
ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Field(Struct, frozen=True):
    """A field of a body, or a parameter."""

    name: str
    kind: Markup
    about: Markup
    is_required: bool = False
    is_deprecated: bool = False
    place: str = ""
    """Of a parameter: path, query or header."""


class Shape(Struct, frozen=True):
    """What several operations have in common."""

    name: str
    about: Markup
    kind: Markup
    fields: Sequence[Field]


class Described(Struct, frozen=True):
    """One operation."""

    name: str
    method: str
    path: str
    summary: str
    about: Markup
    key: str
    scopes: Sequence[Sequence[str]]
    """Any of these sets will do."""
    parameters: Sequence[Field]
    body: Shape | None
    answers: Sequence[tuple[str, str, Markup]]
    """Status, what it says, and of what kind it is."""
    errors: Sequence[tuple[str, str]]
    request: str
    answer: str | None


def write() -> None:
    """Write all pages, in place of those that there were."""
    PAGES.mkdir(exist_ok=True)
    for old in PAGES.glob("*.html"):
        old.unlink()
    for name, page in written(json.loads(API.document())).items():
        (PAGES / f"{name}.html").write_text(page, encoding="utf-8")


def written(document: dict[str, Any]) -> Mapping[str, str]:
    """Each page by its name in addresses."""
    reader = _Reader(document)
    by_tag: dict[str, list[Described]] = {}
    for path, method, operation in operations(document):
        by_tag.setdefault(operation["tags"][0], []).append(reader.described(path, method, operation))
    tags = sorted(by_tag)
    areas = [(tag, slug(tag), by_tag[tag]) for tag in tags]
    found = {
        INDEX: _page("index", areas=areas, about=prose(document["info"]["description"]), servers=document["servers"]),
        ERRORS: _page("errors", problems=sorted(PROBLEMS.items(), key=lambda each: each[1].status)),
    }
    for tag, name, described in areas:
        found[name] = _page("area", operations=described, shapes=reader.shapes_of(document, tag))
    return found


def slug(tag: str) -> str:
    """A tag in an address."""
    return tag.lower().replace(" ", "-")


def prose(text: str) -> Markup:
    """Paragraphs; what stands between backticks is code, and nothing else means anything."""
    parts = [_spans(part) for part in text.split("\n\n") if part.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(part) for part in parts)


def _spans(text: str) -> Markup:
    found, at = Markup(""), 0
    for span in SPANS.finditer(text):
        found += escape(text[at : span.start()]) + Markup("<code>{}</code>").format(span[1] or span[2])
        at = span.end()
    return found + escape(text[at:])


def _page(template: str, **values: Any) -> str:
    page = ENVIRONMENT.get_template(f"{template}.html").render(values, prose=prose, spans=_spans)
    return "".join(f"{line}\n" for line in page.splitlines() if line)


class _Reader:
    """Reads what operations and shapes say."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._schemas: Mapping[str, Any] = document["components"]["schemas"]
        self._examples = Examples(self._schemas)

    def described(self, path: str, method: str, operation: Mapping[str, Any]) -> Described:
        """An operation."""
        ways = operation["security"]
        key = next(iter(ways[0]), "") if ways else ""
        good = {status: each for status, each in operation["responses"].items() if int(status) < HTTPStatus.BAD_REQUEST}
        return Described(
            operation["operationId"],
            method.upper(),
            path,
            operation["summary"],
            prose(operation.get("description", "")),
            KEYS.get(key, ""),
            [way[key] for way in ways],
            [self._parameter(each) for each in operation.get("parameters", ())],
            self._body(operation),
            [(status, each["description"], self._answer(each)) for status, each in good.items()],
            [(status, each["description"]) for status, each in operation["responses"].items() if status not in good],
            self._request(path, method, operation, key),
            self._answered(good),
        )

    def shapes_of(self, document: dict[str, Any], tag: str) -> Sequence[Shape]:
        """What the operations of a tag lead to, by name; a body's own shape stands with its operation."""
        found: set[str] = set()
        for _, _, operation in operations(document):
            if operation["tags"][0] != tag:
                continue
            body = _schema_of(operation.get("requestBody", {}))
            own = self._schemas[_name(body)] if "$ref" in body else body
            good = [each for status, each in operation["responses"].items() if int(status) < HTTPStatus.BAD_REQUEST]
            self._reach([own, good, operation.get("parameters", [])], found)
        return [self._shape(name, self._schemas[name]) for name in sorted(found)]

    def _reach(self, node: Any, found: set[str]) -> None:
        if isinstance(node, list):
            for each in node:
                self._reach(each, found)
        elif isinstance(node, dict):
            name = _name(node)
            if name and name not in found:
                found.add(name)
                self._reach(self._schemas[name], found)
            for key, each in node.items():
                if key not in ("examples", "default"):
                    self._reach(each, found)

    def _shape(self, name: str, schema: Mapping[str, Any]) -> Shape:
        return Shape(name, prose(schema.get("description", "")), self._kind(schema), list(self._fields(schema)))

    def _parameter(self, given: Mapping[str, Any]) -> Field:
        return Field(
            given["name"],
            self._kind(given["schema"]),
            _spans(given.get("description", "")),
            given["required"],
            place=given["in"],
        )

    def _body(self, operation: Mapping[str, Any]) -> Shape | None:
        if "requestBody" not in operation:
            return None
        schema = _schema_of(operation["requestBody"])
        return self._shape("", self._schemas[_name(schema)] if "$ref" in schema else schema)

    def _answer(self, given: Mapping[str, Any]) -> Markup:
        kinds = [
            self._kind(each["schema"]) if "json" in kind else _spans(kind)
            for kind, each in given.get("content", {}).items()
        ]
        return Markup(" or ").join(kinds)

    def _fields(self, schema: Mapping[str, Any], before: str = "") -> Iterator[Field]:
        """Those of an object, and of what stands in it without a name of its own."""
        for name, field in schema.get("properties", {}).items():
            full = f"{before}{name}"
            yield Field(
                full,
                self._kind(field),
                _spans(field.get("description", "")),
                name in schema.get("required", ()),
                field.get("deprecated", False),
            )
            yield from self._inner(field, full)

    def _inner(self, schema: Mapping[str, Any], name: str) -> Iterator[Field]:
        for way in [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]:
            if "properties" in way:
                yield from self._fields(way, f"{name}.")
            if isinstance(way.get("items"), dict):
                yield from self._inner(way["items"], f"{name}[]")
            if isinstance(way.get("additionalProperties"), dict):
                yield from self._inner(way["additionalProperties"], f"{name}.*")

    def _kind(self, schema: Mapping[str, Any]) -> Markup:
        """What a value must be, in words."""
        name = _name(schema)
        if name:
            return Markup('<a href="#{0}">{0}</a>').format(name)
        if "const" in schema or "enum" in schema:
            values = [schema["const"]] if "const" in schema else schema["enum"]
            return Markup(", ").join(_code(each) for each in values)
        ways = schema.get("anyOf") or schema.get("oneOf")
        if ways:
            return Markup(" or ").join(dict.fromkeys(self._kind(way) for way in ways)) + self._default(schema)
        return self._plain(schema) + self._default(schema)

    def _plain(self, schema: Mapping[str, Any]) -> Markup:
        match schema.get("type"):
            case "array":
                inner = self._kind(schema.get("items", {}))
                return Markup("list of {}{}").format(inner, _range(schema, "Items", "of them"))
            case "object":
                rest = schema.get("additionalProperties")
                if isinstance(rest, dict):
                    return Markup("object, each value {}").format(self._kind(rest))
                return Markup("object")
            case "string":
                form = Markup(", as {}").format(_code(schema["pattern"])) if "pattern" in schema else Markup("")
                written = {"date-time": "time (RFC 3339)", "date": "day", "uri": "address"}
                kind = written.get(schema.get("format", ""), "text")
                return Markup("{}{}{}").format(kind, _range(schema, "Length", "characters"), form)
            case "integer" | "number" as kind:
                shown = "whole number" if kind == "integer" else "number"
                return Markup("{}{}").format(shown, _range(schema, "imum", ""))
            case "boolean":
                return _code(True) + Markup(" or ") + _code(False)  # noqa: FBT003 - the values
            case "null":
                return _code(None)
        return Markup("anything")

    def _default(self, schema: Mapping[str, Any]) -> Markup:
        if schema.get("default") in (None, []) or len(json.dumps(schema["default"])) > 80:  # noqa: PLR2004 - a line
            return Markup("")
        return Markup("; if left out {}").format(_code(schema["default"]))

    def _request(self, path: str, method: str, operation: Mapping[str, Any], key: str) -> str:
        """As it is typed into a shell."""
        lines = [f'curl -X {method.upper()} "$API_URL{self._filled(path, operation)}"']
        if key:
            lines.append(f'-H "Authorization: Bearer ${KEYS[key]}"')
        for kind, body in operation.get("requestBody", {}).get("content", {}).items():
            value = self._examples.request(operation["operationId"], body["schema"])
            if kind == "application/json":
                written = json.dumps(value, indent=2, ensure_ascii=False).replace("'", "'\\''")
                lines += ['-H "Content-Type: application/json"', f"-d '{written}'"]
            else:
                lines += [f"--data-urlencode '{name}={each}'" for name, each in value.items()]
        return " \\\n  ".join(lines)

    def _filled(self, path: str, operation: Mapping[str, Any]) -> str:
        for each in operation.get("parameters", ()):
            if each["in"] == "path":
                value = self._examples.of(each["schema"], each["name"], whole=False)
                path = path.replace(f"{{{each['name']}}}", str(value))
        return path

    def _answered(self, good: Mapping[str, Any]) -> str | None:
        for each in good.values():
            for kind, content in each.get("content", {}).items():
                if "json" in kind:
                    return json.dumps(self._examples.of(content["schema"], whole=True), indent=2, ensure_ascii=False)
        return None


def _schema_of(given: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next((each["schema"] for each in given.get("content", {}).values()), {})
    return found


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).removeprefix(SCHEMAS)


def _code(value: object) -> Markup:
    return Markup("<code>{}</code>").format(value if isinstance(value, str) else json.dumps(value))


def _range(schema: Mapping[str, Any], what: str, unit: str) -> Markup:
    """From how many to how many."""
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if what == "Items" and least == 0:
        least = None
    said = f"{_number(least)} to {_number(most)}" if least is not None and most is not None else ""
    if not said and most is not None:
        said = f"at most {_number(most)}"
    if not said and least is not None:
        said = f"at least {_number(least)}"
    return escape(f", {said} {unit}".rstrip()) if said else Markup("")


def _number(value: float) -> str:
    return f"{value:,}" if value != int(value) else f"{int(value):,}"
