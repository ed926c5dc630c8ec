"""What the guide says of the events that templates are about, from their data."""

import json
from collections.abc import Iterable, Iterator

from local.guide_sources import table
from rebound.templates.domain.template_events import (
    TemplateEvent,
    about_variables,
    template_events,
    variables_of,
)


def template_events_table() -> str:
    """A row for each event: what happened, and its variables, those that a message needs in bold."""
    rows = (_row(event, about) for event, about in template_events().items())
    return table(("`event`", "what happened", "variables of its own"), rows)


def _row(event: str, about: TemplateEvent) -> Iterator[str]:
    yield f"`{event}`"
    yield about.description + (f" **Its templates must have {_named(about.must_use)}.**" if about.must_use else "")
    yield ", ".join((*(f"**`{name}`**" for name in about.required), *(f"`{name}`" for name in about.optional)))


def _named(names: Iterable[str]) -> str:
    return ", ".join(f"`##{{{{{name}}}}}`" for name in names)


def event_variables_table() -> str:
    """A row for each variable: its type, what it is, and an example."""
    rows = (
        (f"`{name}`", str(each.type), each.description, f"`{json.dumps(each.example, ensure_ascii=False)}`")
        for name, each in about_variables().items()
    )
    return table(("variable", "type", "what it says", "example"), rows)


def refund_texts_table() -> str:
    """A row for each kind of payment, with what the English defaults say of the refund."""
    texts = variables_of("class_cancelled")["refundNotice"].texts or {}
    return table(("`refundNotice`", "in English"), ((f"`{kind}`", said["en"]) for kind, said in texts.items()))
