"""A version as a client or a page gives it: what it leaves out follows from its event, and an event from its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from rebound.kernel.categories import Category
from rebound.kernel.channels import Channel
from rebound.kernel.errors import FieldError, InvalidInputError
from rebound.templates.application.make_version import NewVersion
from rebound.templates.application.template_service import check_event
from rebound.templates.domain.template_events import event_of_default, template_events

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rebound.templates.application.make_version import FromLayout
    from rebound.templates.domain.content import Content, EmailContent
    from rebound.templates.domain.variables import Declared


class GivenVersion(Struct, frozen=True, kw_only=True):
    """What is given; ``category`` and ``event`` may be left out."""

    name: str
    channel: Channel
    category: Category | None = None
    event: str | None = None
    variables: Declared
    contents: Mapping[str, Content | FromLayout]
    email_content: EmailContent | None = None
    is_draft: bool = False

    def read(self, template_id: str) -> NewVersion:
        """The version that is to be saved under an id, which may name an event. Raises ``InvalidInputError``."""
        named = event_of_default(template_id)
        event = named[0] if named is not None and self.event is None else self.event
        category = self._category(event)
        if self.email_content is not None and self.channel is Channel.EMAIL:
            raise InvalidInputError(FieldError("email_content", "Is for templates of texts alone."))
        return NewVersion(
            name=self.name,
            channel=self.channel,
            category=category,
            event=event,
            variables=self.variables,
            contents=self.contents,
            email_content=self.email_content,
            is_draft=self.is_draft,
        )

    def _category(self, event: str | None) -> Category:
        if event is not None:
            check_event(event)
        if self.category is not None:
            return self.category
        return Category.TRANSACTIONAL if event is None else template_events()[event].category
