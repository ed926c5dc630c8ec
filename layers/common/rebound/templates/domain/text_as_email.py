"""What a text says, as an email: for those to whom it cannot go as a text."""

from copy import replace
from functools import lru_cache
from html import escape
from typing import Final

from rebound.kernel.languages import read_words
from rebound.kernel.placeholders import PLACEHOLDER
from rebound.templates.domain.content import ANY_LANGUAGE, Content, EmailContent, Said, TemplateContent, TextContent
from rebound.templates.domain.footers import ALL_LINKS, APPOINTMENT_URL, STOP_URL, UNSUBSCRIBE_URL
from rebound.templates.domain.html_reading import read_for_footer
from rebound.templates.domain.placeholders import repaired

_SUBJECT: Final = "##{{business_name}}"


def said_by_email(said: Said) -> Said:
    """What is said by text, as it is said by email: for a template its own email, else each language's text as one."""
    if isinstance(said, TemplateContent):
        own = said.email_content
        texts = {language: as_email(content) for language, content in said.contents.items()}
        return replace(said, contents=texts if own is None else {ANY_LANGUAGE: own})
    return as_email(said)


def as_email(content: Content) -> EmailContent:
    """A text as an email, and an email as it is."""
    return text_as_email(content) if isinstance(content, TextContent) else content


@lru_cache(maxsize=16)
def text_as_email(content: TextContent) -> EmailContent:
    """The email in place of a text: the one that was given for it, else the text under the business's name.

    The link to stop texts with becomes the one to unsubscribe from such emails.
    """
    if content.email_content is not None:
        return content.email_content
    body = repaired(content.body, ALL_LINKS, is_html=False)
    as_email = PLACEHOLDER.sub(
        lambda found: f"##{{{{{UNSUBSCRIBE_URL}}}}}" if found[1].strip() == STOP_URL else found[0], body
    )
    return EmailContent(_SUBJECT, text=as_email)


@lru_cache(maxsize=16)
def with_link_to_confirm(content: EmailContent, language: str) -> EmailContent:
    """An email that asks to confirm an appointment, with the link to do so below each of its parts."""
    words = read_words("templates", language)["confirm_appointment"]
    link = f"##{{{{{APPOINTMENT_URL}}}}}"
    as_html, as_text = content.html, content.text
    if as_text is not None:
        as_text = f"{as_text.rstrip()}\n\n{words}: {link}\n"
    if as_html is not None:
        end = read_for_footer(as_html).end
        as_html = f'{as_html[:end]}<p><a href="{link}">{escape(words)}</a></p>{as_html[end:]}'
    return EmailContent(content.subject, as_html, as_text)
