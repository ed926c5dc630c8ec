"""A confirmation of a class: a template with a layout, and what is given for its variables."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

TEMPLATE_ID: Final = "demo-class-confirmed"
TEMPLATE: Final[Mapping[str, Any]] = {
    "name": "Class confirmed (demo)",
    "channel": "email",
    "category": "transactional",
    "variables": {
        "class_name": {"required": True, "example": "Colour for beginners"},
        "class_date": {"type": "date", "required": True},
        "class_time": {"type": "time", "required": True, "example": "18:30"},
        "note": {"default": "Please come ten minutes early."},
    },
    "layout": {
        "subject": "##{{class_name}} on ##{{class_date}}: your place is booked",
        "blocks": [
            {"kind": "heading", "text": "See you soon, ##{{first_name}}"},
            {"kind": "text", "text": "##{{class_name}}, ##{{class_date}} at ##{{class_time}}.\n\n##{{note}}"},
            {"kind": "button", "text": "How to find us", "link": "https://juniper.example.com/map"},
        ],
        "style": {"font": "Georgia", "button_color": "#1b5e20"},
    },
}


def variables_for(day: date) -> Mapping[str, Any]:
    """What is given for a class on a day."""
    return {"class_name": "Colour for beginners", "class_date": day.isoformat(), "class_time": "18:30"}
