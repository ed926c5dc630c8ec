"""Templates in the Directory table: a row for each, and one for each of its versions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from copy import replace
from typing import Any, Final

from msgspec import convert, to_builtins

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import NotFoundError
from rebound.platform.adapters.directory import Directory
from rebound.platform.adapters.dynamo import (
    DirectoryRow,
    as_read,
    next_version,
    read_instant,
    transaction,
    write_instant,
)
from rebound.templates.domain.content import EmailContent, read_content, written_content
from rebound.templates.domain.template import Summary, Template, TemplateVersion
from rebound.templates.domain.variables import Variable

MOST_KEPT: Final = 32
"""Versions that a process keeps: each has at most some 300 kB."""
KEPT: Final[OrderedDict[tuple[str, str, int], TemplateVersion]] = OrderedDict()
"""Those that were read last, by business, template and number."""


class DynamoTemplateBook(Directory):
    """Implements ``TemplateBook``."""

    kind = "template"

    def __init__(self, table_name: str) -> None:
        super().__init__(table_name)
        self._versions = _Versions(table_name)

    def get(self, business_id: str, template_id: str) -> Template:
        try:
            row = self.row.get(business_id, self.entry(template_id), consistent_read=True)
        except self.row.DoesNotExist:
            return Template(business_id=business_id, template_id=template_id)
        return _template(row)

    def page(self, business_id: str, after: str, limit: int) -> Sequence[Template]:
        found = self.row.query(
            business_id,
            DirectoryRow.entry_id.between(f"{self.entry(after)}!", self.entry("~")),
            limit=limit,
            page_size=limit,
            consistent_read=True,
        )
        return [_template(row) for row in found]

    def version(self, business_id: str, template_id: str, version: int) -> TemplateVersion:
        key = (business_id, template_id, version)
        kept = KEPT.get(key)
        if kept is not None:
            KEPT.move_to_end(key)
            return kept
        document = self._versions.get_document(business_id, _number(template_id, version))
        if document is None:
            raise NotFoundError("template version")
        found = KEPT[key] = _read_version(business_id, template_id, version, document)
        if len(KEPT) > MOST_KEPT:
            KEPT.popitem(last=False)
        return found

    def versions(self, business_id: str, numbers: Mapping[str, int]) -> Mapping[str, TemplateVersion]:
        keys = [
            (business_id, self._versions.entry(_number(template_id, version)))
            for template_id, version in numbers.items()
        ]
        found: dict[str, TemplateVersion] = {}
        for row in self.row.batch_get(keys, consistent_read=True) if keys else ():
            _, template_id, version = row.entry_id.split("#")
            found[template_id] = _read_version(business_id, template_id, int(version), row.document)
        return found

    def save(self, before: Template, after: Template, new: TemplateVersion | None = None) -> Template:
        business_id, stored = before.business_id, next_version(before.row_version)
        document = {
            "published": after.published,
            "draft": after.draft,
            "latest": after.latest,
            "about": None if after.about is None else _write_summary(after.about),
            "default": after.default_digest,
        }
        row = self.row(business_id, self.entry(after.template_id), document=document, version=stored)
        with transaction(self.row) as writes:
            writes.save(row, condition=as_read(DirectoryRow, before.row_version))
            if new is not None:
                entry = self._versions.entry(_number(new.template_id, new.version))
                written = self.row(business_id, entry, document=_write_version(new))
                writes.save(written, condition=DirectoryRow.entry_id.does_not_exist())
            if before.draft and before.draft != after.draft:
                forgotten = self._versions.entry(_number(before.template_id, before.draft))
                writes.delete(self.row(business_id, forgotten))
        return replace(after, row_version=stored)


class _Versions(Directory):
    """The versions, by the template's id and the number."""

    kind = "template-version"


def _number(template_id: str, version: int) -> str:
    return f"{template_id}#{version:07d}"


def _template(row: DirectoryRow) -> Template:
    document = row.document
    return Template(
        business_id=row.business_id,
        template_id=row.entry_id.split("#", 1)[1],
        published=document["published"],
        draft=document["draft"],
        latest=document["latest"],
        about=None if document["about"] is None else _read_summary(document["about"]),
        default_digest=document.get("default"),
        row_version=int(row.version),
    )


def _write_summary(about: Summary) -> dict[str, Any]:
    return {**to_builtins(about), "saved_at": None if about.saved_at is None else write_instant(about.saved_at)}


def _read_summary(document: Mapping[str, Any]) -> Summary:
    saved_at = document["saved_at"]
    return convert({**document, "saved_at": None if saved_at is None else read_instant(saved_at)}, Summary)


def _write_version(version: TemplateVersion) -> dict[str, Any]:
    email_content = version.email_content
    return {
        "name": version.name,
        "channel": version.channel,
        "category": version.category,
        "event": version.event,
        "own_variables": list(version.own_variables),
        "variables": {name: to_builtins(variable) for name, variable in version.variables.items()},
        "contents": {language: written_content(content) for language, content in version.contents.items()},
        "layouts": dict(version.layouts),
        "email_content": None if email_content is None else written_content(email_content),
        "saved_at": write_instant(version.saved_at),
    }


def _read_version(business_id: str, template_id: str, version: int, document: Mapping[str, Any]) -> TemplateVersion:
    email_content = document["email_content"]
    return TemplateVersion(
        business_id=business_id,
        template_id=template_id,
        version=version,
        name=document["name"],
        channel=Channel(document["channel"]),
        category=Category(document["category"]),
        event=document.get("event"),
        own_variables=tuple(document.get("own_variables", document["variables"])),
        variables={name: convert(variable, Variable) for name, variable in document["variables"].items()},
        contents={language: read_content(content) for language, content in document["contents"].items()},
        layouts=document["layouts"],
        email_content=None if email_content is None else EmailContent(**email_content),
        saved_at=read_instant(document["saved_at"]),
    )
