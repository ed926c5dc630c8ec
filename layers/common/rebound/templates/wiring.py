"""The ports of templates, and the use cases made from them (see ``platform.wiring``)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rebound.customers.wiring import AwsCustomersPorts, CustomersUseCases
from rebound.platform.wiring import in_this_process, use_case

if TYPE_CHECKING:
    from rebound.templates.application.default_templates import DefaultTemplates
    from rebound.templates.application.make_version import MakeVersion
    from rebound.templates.application.measure_text import MeasureText
    from rebound.templates.application.preview_template import PreviewTemplate
    from rebound.templates.application.render_layout import RenderLayout
    from rebound.templates.application.template_contents import TemplateContents
    from rebound.templates.application.template_service import TemplateService
    from rebound.templates.ports import HtmlCleaner, MjmlRenderer, TemplateBook, TemplatesPorts


class AwsTemplatesPorts(AwsCustomersPorts):
    """The ports of templates; two of them are libraries, loaded where a layout is rendered."""

    @cached_property
    def templates(self) -> TemplateBook:
        from rebound.templates.adapters.dynamo_templates import DynamoTemplateBook

        return DynamoTemplateBook(self.settings["DIRECTORY_TABLE"])

    @cached_property
    def mjml_renderer(self) -> MjmlRenderer:
        from rebound.templates.adapters.mrml_renderer import MrmlRenderer

        return MrmlRenderer()

    @cached_property
    def html_cleaner(self) -> HtmlCleaner:
        from rebound.templates.adapters.nh3_cleaner import Nh3Cleaner

        return Nh3Cleaner()


class TemplatesUseCases(CustomersUseCases):
    """The use cases of templates."""

    ports: TemplatesPorts

    measure_text: MeasureText = use_case("rebound.templates.application.measure_text")
    render_layout: RenderLayout = use_case("rebound.templates.application.render_layout")
    make_version: MakeVersion = use_case("rebound.templates.application.make_version")
    preview_template: PreviewTemplate = use_case("rebound.templates.application.preview_template")
    default_templates: DefaultTemplates = use_case("rebound.templates.application.default_templates")
    template_service: TemplateService = use_case(
        "rebound.templates.application.template_service", defaults="default_templates"
    )
    template_contents: TemplateContents = use_case(
        "rebound.templates.application.template_contents",
        templates="templates_at_need",
        defaults="default_templates_at_need",
    )

    def templates_at_need(self) -> TemplateBook:
        """Whoever sends what is made from no template reads none."""
        return self.ports.templates

    def default_templates_at_need(self) -> DefaultTemplates:
        """Whoever sends needs none."""
        return self.default_templates


use_cases = in_this_process(TemplatesUseCases, AwsTemplatesPorts)
ports = AwsTemplatesPorts
