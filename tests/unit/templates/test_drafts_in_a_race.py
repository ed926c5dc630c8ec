"""A draft that somebody else publishes between two reads of ours."""

from collections.abc import Mapping
from copy import replace
from functools import cached_property
from types import MappingProxyType

import pytest

from rebound.businesses.domain.business import Business
from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import NotFoundError
from rebound.templates.application.make_version import NewVersion
from rebound.templates.domain.content import ANY_LANGUAGE, TextContent
from rebound.templates.domain.template import Template, TemplateVersion
from rebound.templates.wiring import TemplatesUseCases
from tests.contract.templates.fakes import MemoryTemplateBook, MemoryTemplatesPorts
from tests.fakes.making import business

DRAFT = NewVersion(
    name="N",
    channel=Channel.SMS,
    category=Category.TRANSACTIONAL,
    variables=MappingProxyType({}),
    contents={ANY_LANGUAGE: TextContent("Hello")},
    is_draft=True,
)


class RacedBook(MemoryTemplateBook):
    """Publishes the draft once, right after its template was read."""

    is_armed = False

    def get(self, business_id: str, template_id: str) -> Template:
        template = super().get(business_id, template_id)
        if self.is_armed and template.draft:
            self.is_armed = False
            draft = self.version(business_id, template_id, template.draft)
            published = replace(draft, version=template.latest + 1)
            self.save(template, template.with_published(published).with_draft(None), published)
        return template


class RacedPorts(MemoryTemplatesPorts):
    @cached_property
    def templates(self) -> RacedBook:
        return RacedBook()


def _raced(tenant: Business) -> tuple[TemplatesUseCases, RacedBook]:
    ports = RacedPorts(tenant)
    use_cases = TemplatesUseCases(ports)
    use_cases.template_service.put(tenant.business_id, "t", DRAFT)
    ports.templates.is_armed = True
    return use_cases, ports.templates


def _same(version: TemplateVersion) -> Mapping[str, object]:
    return {"number": version.version, "contents": version.contents}


def test_two_who_publish_get_the_same() -> None:
    tenant = business()
    use_cases, _ = _raced(tenant)
    published = use_cases.template_service.publish(tenant.business_id, "t").version
    assert _same(published) == {"number": 2, "contents": DRAFT.contents}


def test_who_reads_gets_what_is_published_now() -> None:
    tenant = business()
    use_cases, _ = _raced(tenant)
    assert use_cases.template_service.get(tenant.business_id, "t").version.version == 2


def test_who_reads_the_draft_is_told_that_there_is_none() -> None:
    tenant = business()
    use_cases, _ = _raced(tenant)
    with pytest.raises(NotFoundError):
        use_cases.template_service.get(tenant.business_id, "t", is_draft=True)
