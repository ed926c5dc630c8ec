"""What messages and campaigns say that are made from a template."""

from __future__ import annotations

from collections.abc import Callable
from copy import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.templates.domain.content import MadeFrom, Said, TemplateContent

if TYPE_CHECKING:
    from rebound.kernel.categories import Category
    from rebound.kernel.channels import Channel
    from rebound.templates.application.default_templates import DefaultTemplates
    from rebound.templates.domain.template import TemplateVersion
    from rebound.templates.ports import TemplateBook


class TemplateContents(Struct, frozen=True, kw_only=True):
    """Makes content from templates, and reads what a content says that is made from one."""

    templates: Callable[[], TemplateBook]
    defaults: Callable[[], DefaultTemplates]

    def made(self, business_id: str, made_from: MadeFrom, channel: Channel, category: Category) -> TemplateContent:
        """What messages of a kind say that are made so: from now on always what the version says.

        Without a version it is the one that is published now. Raises ``InvalidInputError``.
        """
        # Whoever sends checks nothing any more.
        from rebound.templates.domain.rendering import check_content  # noqa: PLC0415
        from rebound.templates.domain.variables import check_given  # noqa: PLC0415

        version = self._version(business_id, made_from)
        if version.channel is not channel:
            message = f"The template is for the channel {version.channel}: give that one, or another template."
            raise InvalidInputError(FieldError("template_id", message))
        given = check_given(version.variables, made_from.variables)
        if category is not version.category:
            for content in version.contents.values():
                try:
                    check_content(content, category, version.variables)
                except InvalidInputError as error:
                    first = error.errors[0]
                    message = f"Cannot be a {category} message, because of its {first.field}: {first.message}"
                    raise InvalidInputError(replace(first, field="template_id", message=message)) from None
        return version.content_for(MadeFrom(made_from.template_id, version.version, given))

    def loaded(self, business_id: str, said: Said) -> Said:
        """The same with what it says: at most one read, and none of a version that this process has read before.

        Raises ``InvalidInputError`` for a draft whose template is deleted.
        """
        if not isinstance(said, TemplateContent) or said.contents:
            return said
        return self._version(business_id, said.made_from).content_for(said.made_from, said.mark)

    def _version(self, business_id: str, made_from: MadeFrom) -> TemplateVersion:
        number = made_from.version
        if number is None:
            number = self.defaults().published(business_id, made_from.template_id)
        if not number:
            raise InvalidInputError(FieldError("template_id", "There is no such template, or only a draft of it."))
        return self.templates().version(business_id, made_from.template_id, number)
