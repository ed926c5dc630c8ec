"""Reading what a mailing says that is made from a template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rebound.messages.domain.mailing import Mailing
from rebound.templates.domain.content import TemplateContent

if TYPE_CHECKING:
    from rebound.templates.application.template_contents import TemplateContents


def loaded[M: Mailing](mailing: M, contents: TemplateContents) -> M:
    """The mailing with what it says; whatever decides about it, or renders it, needs that.

    One that is made from no template costs nothing. Raises as ``TemplateContents.loaded``.
    """
    if not any(isinstance(said, TemplateContent) for said in mailing.all_said):
        return mailing
    return mailing.with_said(lambda said: contents.loaded(mailing.business_id, said))
