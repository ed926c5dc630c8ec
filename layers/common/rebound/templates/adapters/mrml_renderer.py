"""MJML by mrml, its implementation in Rust."""

import mjml

from rebound.templates.ports import MjmlRenderer


class MrmlRenderer(MjmlRenderer):
    """Makes HTML of MJML. It loads no font that the MJML does not name (MJML's own five are left out)."""

    def html_of(self, mjml_: str) -> str:
        """See the port."""
        return mjml.mjml2html(mjml_, fonts={})
