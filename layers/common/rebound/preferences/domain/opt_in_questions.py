"""The question for marketing (double opt-in), as it is sent: in every language, by email and by text.

START and not YES, which people answer to many things.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from rebound.kernel.channels import Channel
from rebound.kernel.languages import read_words
from rebound.messages.domain.content import EmailContent, TextContent

if TYPE_CHECKING:
    from rebound.messages.domain.content import Content


@cache
def opt_in_question(language: str, channel: Channel) -> Content:
    """The question in one of the languages."""
    words = read_words("preferences", language)["opt_in_question"][channel]
    return _email(**words) if channel is Channel.EMAIL else TextContent(words)


def _email(*, subject: str, hello: str, question: str, button: str, otherwise: str) -> EmailContent:
    return EmailContent(
        subject,
        f'<p>{hello}</p><p>{question}</p><p><a href="##{{{{confirm_url}}}}">{button}</a></p><p>{otherwise}</p>',
        f"{hello}\n\n{question}\n\n##{{{{confirm_url}}}}\n\n{otherwise}\n",
    )
