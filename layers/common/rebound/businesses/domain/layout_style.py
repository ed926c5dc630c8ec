"""The style of a business's layouts: colours and fonts, with defaults that can be read anywhere."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.structs import asdict

from rebound.kernel.errors import FieldError, InvalidInputError

Colour = Annotated[
    str,
    Meta(pattern="^#[0-9A-Fa-f]{6}$", extra={"form": "colour"}, description="Six hexadecimal digits, such as #1a73e8."),
]
Stylesheet = Annotated[
    str,
    Meta(
        max_length=500,
        pattern=r"^https://[A-Za-z0-9.-]+/[A-Za-z0-9/?=&:;,@+._%-]*$",
        extra={"form": "web_font"},
        description="On https, such as https://fonts.googleapis.com/css?family=Lato.",
    ),
]


class Font(StrEnum):
    """A family that mail programs have without loading anything."""

    ARIAL = "Arial"
    COURIER = "Courier New"
    GEORGIA = "Georgia"
    TAHOMA = "Tahoma"
    TIMES = "Times New Roman"
    TREBUCHET = "Trebuchet MS"
    VERDANA = "Verdana"


FALLBACKS: Final = {
    Font.ARIAL: "Arial, Helvetica, sans-serif",
    Font.COURIER: "'Courier New', Courier, monospace",
    Font.GEORGIA: "Georgia, 'Times New Roman', serif",
    Font.TAHOMA: "Tahoma, Verdana, sans-serif",
    Font.TIMES: "'Times New Roman', Times, serif",
    Font.TREBUCHET: "'Trebuchet MS', Verdana, sans-serif",
    Font.VERDANA: "Verdana, Geneva, sans-serif",
}


class Shape(Struct, frozen=True, forbid_unknown_fields=True):
    """An object of a layout."""


class WebFont(Shape, frozen=True):
    """A font that is loaded from elsewhere, by those mail programs that do such a thing; others take ``font``."""

    name: Annotated[str, Meta(max_length=60, pattern="^[A-Za-z0-9][A-Za-z0-9 -]*$", extra={"form": "font_name"})]
    stylesheet: Stylesheet


class Style(Shape, frozen=True, omit_defaults=True):
    """Colours and fonts: those of a business, and of a layout that says others."""

    font: Font = Font.ARIAL
    web_font: WebFont | None = None
    text_color: Colour = "#222222"
    heading_color: Colour | None = None
    """As the text."""
    link_color: Colour = "#0b57d0"
    button_color: Colour = "#0b57d0"
    button_text_color: Colour = "#ffffff"
    content_color: Colour = "#ffffff"
    """Behind the text."""
    background_color: Colour = "#f2f2f2"
    """Around the content."""
    corner_radius: Annotated[int, Meta(ge=0, le=30)] = 6
    """Of buttons and vouchers, in pixels."""

    @property
    def fonts(self) -> str:
        """The families in the order in which they are tried, as CSS has it."""
        own = f"'{self.web_font.name}', " if self.web_font is not None else ""
        return own + FALLBACKS[self.font]


FORMS: Final = {
    "colour": "Must be a colour with six hexadecimal digits, such as #1a73e8.",
    "font_name": "Must be the name of a font: letters, digits, spaces and hyphens.",
    "web_font": "Must be the https address of a style sheet, such as https://fonts.googleapis.com/css?family=Lato.",
}
"""What is said where the pattern of a shape does not hold."""
_ALLOWED: Final = {
    "font": f"Must be one of {', '.join(Font)}.",
    "web_font": "Must be an object with name, the name of a font, and stylesheet, an https address.",
    "corner_radius": "Must be a whole number from 0 to 30.",
}


def all_of(style: Style) -> Mapping[str, Any]:
    """Every option of a style, as JSON has it."""
    font = style.web_font
    return {**asdict(style), "web_font": None if font is None else asdict(font)}


def _read(name: str, value: object) -> Style:
    """A style with one option. Raises ``ValidationError``."""
    texts = value.values() if isinstance(value, Mapping) else (value,)
    if any(isinstance(text, str) and text.endswith("\n") for text in texts):
        # A pattern's end is also before the last line break.
        raise ValidationError
    return convert({name: value}, Style)


def style_options(given: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """The options of a style that a client names, below ``path``; ``None`` gives one its default.

    Raises ``InvalidInputError`` with all that is wrong.
    """
    known, plain = Style.__struct_fields__, Style()
    options: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, value in given.items():
        field = f"{path}.{name}"
        if name not in known:
            errors.append(FieldError.unknown(field, f"Is not known here; known are {', '.join(known)}.", name, known))
            continue
        try:
            options[name] = getattr(plain if value is None else _read(name, value), name)
        except ValidationError:
            message = _ALLOWED.get(name, FORMS["colour"])
            is_word = name == "font" and isinstance(value, str)
            errors.append(FieldError.unknown(field, message, value, Font) if is_word else FieldError(field, message))
    if errors:
        raise InvalidInputError(*errors)
    return options
