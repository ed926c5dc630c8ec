"""The default templates of events, made as they are for a business."""

from datetime import UTC, datetime
from typing import Final

from rebound.businesses.domain.business import Business
from rebound.kernel.channels import Channel
from rebound.templates.adapters.mrml_renderer import MrmlRenderer
from rebound.templates.adapters.nh3_cleaner import Nh3Cleaner
from rebound.templates.application.default_templates import default_of
from rebound.templates.application.make_version import MadeVersion, MakeVersion
from rebound.templates.application.render_layout import RenderLayout
from rebound.templates.domain.template import Template
from rebound.templates.domain.template_events import default_id
from tests.contract.templates.fakes import MemoryTemplatesPorts

_SAVED_AT: Final = datetime(2026, 11, 29, tzinfo=UTC)


def make_version(business: Business) -> MakeVersion:
    """What makes versions for a business."""
    businesses = MemoryTemplatesPorts(business).businesses
    return MakeVersion(
        render_layout=RenderLayout(mjml_renderer=MrmlRenderer(), html_cleaner=Nh3Cleaner(), businesses=businesses)
    )


def made_default(event: str, channel: Channel, business: Business) -> MadeVersion:
    """The first version of a default template."""
    default = default_of(default_id(event, channel))
    assert default is not None
    template = Template(business_id=business.business_id, template_id=default_id(event, channel))
    return make_version(business)(template, 1, default.new, _SAVED_AT)
