"""What messages and campaigns say that are made from a template."""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.templates.domain.content import MadeFrom, Said, TemplateContent
from rebound.templates.domain.rendering import check_content
from rebound.templates.domain.variables import check_given

if TYPE_CHECKING:
    from rebound.kernel.categories import Category
    from rebound.kernel.channels import Channel
    from rebound.templates.domain.template import TemplateVersion
    from rebound.templates.ports import TemplateBook


class TemplateContents(Struct, frozen=True, kw_only=True):
    """Makes content from templates, and reads what a content says that is made from one."""

    templates: TemplateBook

    def made(
        self,
        business_id: str,
        template_id: str,
        variables: Mapping[str, Any],
        channel: Channel,
        category: Category,
    ) -> TemplateContent:
        """What the version says that is published now, for messages of a kind. Raises ``InvalidInputError``."""
        version = self._published(business_id, template_id)
        if version.channel is not channel:
            message = f"The template is for {version.channel}: give that channel, or another template."
            raise InvalidInputError(FieldError("template_id", message))
        given = check_given(version.variables, variables)
        if category is not version.category:
            for content in version.contents.values():
                try:
                    check_content(content, category, tuple(version.variables))
                except InvalidInputError as error:
                    message = f"As a message of the category {category}: {error.errors[0].message}"
                    raise InvalidInputError(replace(error.errors[0], field="template_id", message=message)) from None
        return version.content_for(MadeFrom(template_id, version.version, given))

    def loaded(self, business_id: str, said: Said) -> Said:
        """The same with what it says: at most one read, and none of a version that this process has read before.

        Raises ``InvalidInputError`` for a draft whose template is deleted.
        """
        if not isinstance(said, TemplateContent) or said.contents:
            return said
        made_from = said.made_from
        if made_from.version is None:
            version = self._published(business_id, made_from.template_id)
        else:
            version = self.templates.version(business_id, made_from.template_id, made_from.version)
        return version.content_for(made_from, said.mark)

    def _published(self, business_id: str, template_id: str) -> TemplateVersion:
        published = self.templates.get(business_id, template_id).published
        if not published:
            raise InvalidInputError(FieldError("template_id", "There is no such template, or only a draft of it."))
        return self.templates.version(business_id, template_id, published)
