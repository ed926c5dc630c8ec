"""SES template substitution, as far as plain variables go."""

import re
from collections.abc import Mapping
from typing import Any

_EXPRESSION = re.compile(r"\{\{\{(.*?)\}\}\}|\{\{(.*?)\}\}", re.DOTALL)
_VARIABLE = re.compile(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*")


class RenderingError(Exception):
    """What SES would tell later in a ``Rendering Failure`` event."""


def render(template: str, data: Mapping[str, Any]) -> str:
    """Replace ``{{name}}`` and ``{{{name}}}`` from the data; values are never read as templates again.

    Neither form escapes HTML, as in SES. Raises RenderingError where a variable is missing, or for the block helpers
    of Handlebars, which the twin does not know.
    """
    return _EXPRESSION.sub(lambda match: _value(match[1] if match[1] is not None else match[2], data), template)


def _value(expression: str, data: Mapping[str, Any]) -> str:
    name = expression.strip()
    if not _VARIABLE.fullmatch(name):
        raise RenderingError(f"The twin does not render the expression '{name}'.")
    value: Any = data
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise RenderingError(f"Attribute '{name}' is not present in the rendering data.")
        value = value[part]
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
