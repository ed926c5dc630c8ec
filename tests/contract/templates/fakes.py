"""Templates in memory; ports that leave no process are the libraries themselves."""

from collections.abc import Mapping, Sequence
from copy import replace
from functools import cached_property

from rebound.kernel.errors import ConcurrentChangeError, NotFoundError
from rebound.templates.adapters.mrml_renderer import MrmlRenderer
from rebound.templates.adapters.nh3_cleaner import Nh3Cleaner
from rebound.templates.domain.template import Template, TemplateVersion
from tests.contract.customers.fakes import MemoryCustomersPorts


class MemoryTemplateBook:
    """Implements ``TemplateBook``."""

    def __init__(self) -> None:
        self._templates: dict[tuple[str, str], Template] = {}
        self._versions: dict[tuple[str, str, int], TemplateVersion] = {}

    def get(self, business_id: str, template_id: str) -> Template:
        unknown = Template(business_id=business_id, template_id=template_id)
        return self._templates.get((business_id, template_id), unknown)

    def page(self, business_id: str, after: str, limit: int) -> Sequence[Template]:
        own = [t for (owner, id_), t in sorted(self._templates.items()) if owner == business_id and id_ > after]
        return own[:limit]

    def version(self, business_id: str, template_id: str, version: int) -> TemplateVersion:
        try:
            return self._versions[business_id, template_id, version]
        except KeyError:
            raise NotFoundError("template version") from None

    def versions(self, business_id: str, numbers: Mapping[str, int]) -> Mapping[str, TemplateVersion]:
        found = {id_: self._versions.get((business_id, id_, number)) for id_, number in numbers.items()}
        return {id_: version for id_, version in found.items() if version is not None}

    def save(self, before: Template, after: Template, new: TemplateVersion | None = None) -> Template:
        key = (before.business_id, before.template_id)
        if self.get(*key).row_version != before.row_version:
            raise ConcurrentChangeError
        if new is not None:
            self._versions[*key, new.version] = new
        if before.draft and before.draft != after.draft:
            del self._versions[*key, before.draft]
        self._templates[key] = replace(after, row_version=before.row_version + 1)
        return self._templates[key]


class MemoryTemplatesPorts(MemoryCustomersPorts):
    """Implements ``TemplatesPorts``."""

    @cached_property
    def templates(self) -> MemoryTemplateBook:
        return MemoryTemplateBook()

    @cached_property
    def mjml_renderer(self) -> MrmlRenderer:
        return MrmlRenderer()

    @cached_property
    def html_cleaner(self) -> Nh3Cleaner:
        return Nh3Cleaner()
