"""Ports of templates that leave no process: the libraries themselves."""

from functools import cached_property

from rebound.templates.adapters.mrml_renderer import MrmlRenderer
from rebound.templates.adapters.nh3_cleaner import Nh3Cleaner
from tests.contract.customers.fakes import MemoryCustomersPorts


class MemoryTemplatesPorts(MemoryCustomersPorts):
    """Implements ``TemplatesPorts``."""

    @cached_property
    def mjml_renderer(self) -> MrmlRenderer:
        return MrmlRenderer()

    @cached_property
    def html_cleaner(self) -> Nh3Cleaner:
        return Nh3Cleaner()
