"""How well a text can be told from what is behind it.

Source: WCAG 2.2, success criterion 1.4.3 (level AA) and its definition of contrast ratio.
"""

from typing import Final

LEAST: Final = 4.5
"""For text of a usual size."""
LEAST_LARGE: Final = 3.0
"""For text of 24 pixels, or of 18.66 in bold."""
_LINEAR_UNTIL: Final = 0.04045


def contrast(one: str, other: str) -> float:
    """The ratio of two colours, ``#rrggbb``: from 1, which nobody can tell apart, to 21, black on white."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= _LINEAR_UNTIL else ((share + 0.055) / 1.055) ** 2.4
