"""Templates: the list, and the page of one."""

from rebound.console.http.preview_frames import framed, framed_flaws, framed_text
from rebound.console.http.requests import PageAnswer
from rebound.console.http.visits import Visit
from rebound.kernel.errors import InvalidInputError
from rebound.kernel.languages import LANGUAGES
from rebound.templates.application.preview_template import WhatToShow


def show_in_frame(visit: Visit, template_id: str) -> PageAnswer:
    """The document of a frame: what is published says to a customer, or to somebody made up; or the draft does.

    The query may have ``draft``, the ``customer``'s id and a ``language``.
    """
    try:
        shown = visit.behind.preview_template(visit.business_id, template_id, _asked(visit))
    except InvalidInputError as error:
        return framed_flaws(each.message for each in error.errors)
    return framed(shown.html) if shown.html is not None else framed_text(shown.text)


def _asked(visit: Visit) -> WhatToShow:
    query = visit.request.query
    language = query.one("language")
    return WhatToShow(
        variables={},
        customer_id=query.given("customer"),
        language=language if language in LANGUAGES else None,
        is_draft="draft" in query,
    )
