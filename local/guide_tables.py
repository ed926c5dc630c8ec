"""Writes the tables of the guide that follow from the code, each between two comments of its page (`make openapi`).

A test compares them, so that a page cannot say anything else than the code does.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from local.guide_events import event_variables_table, refund_texts_table, template_events_table
from local.guide_layouts import layout_blocks, layout_style
from local.guide_sources import (
    conditions,
    filter_fields,
    import_columns,
    limits,
    lists,
    repeated,
    repeated_problems,
    twin_emails,
    twin_numbers,
)
from rebound.kernel.problem_codes import PROBLEMS, ProblemKind

GUIDE: Final = Path(__file__).parents[1] / "docs" / "guide"


def _problems() -> str:
    rows = [_row(code, problem) for code, problem in PROBLEMS.items()]
    return "\n".join(("| status | code | what it means | what to do | members |", "|---|---|---|---|---|", *rows))


def _row(code: str, problem: ProblemKind) -> str:
    members = ", ".join(f"`{name}`" for name in problem.members)
    again = " **Retryable.**" if problem.retryable else ""
    return f"| {int(problem.status)} | `{code}` | {problem.meaning} | {problem.way_out}{again} | {members} |"


TABLES: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "errors.md": {"problems": _problems},
    "filters.md": {"conditions": conditions, "fields": filter_fields},
    "idempotency.md": {"repeated requests": repeated, "problems": repeated_problems},
    "imports-and-exports.md": {"columns": import_columns},
    "layouts.md": {"blocks": layout_blocks, "style": layout_style},
    "limits.md": {"limits": limits},
    "pagination.md": {"lists": lists},
    "template-events.md": {
        "events": template_events_table,
        "variables": event_variables_table,
        "refunds": refund_texts_table,
    },
    "twin.md": {"emails": twin_emails, "numbers": twin_numbers},
}
"""By page and by the name in the comments around the table."""


def written(page: str) -> str:
    """The page with its tables as they should be. Raises ``ValueError`` when the place of one is missing."""
    text = (GUIDE / page).read_text(encoding="utf-8")
    for name, table in TABLES[page].items():
        begin, end = f"<!-- {name}: from the code, by make openapi -->", f"<!-- {name} end -->"
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not found or not ended:
            raise ValueError(f"{page} has no place for {name}")
        text = f"{before}{begin}\n{table()}\n{end}{after}"
    return text


if __name__ == "__main__":
    for each in TABLES:
        (GUIDE / each).write_text(written(each), encoding="utf-8")
