"""What is answered to STOP, START and HELP: who writes, and how it ends or begins again.

Carriers want each answer to name the business, and HELP to say how to reach a person (CTIA, "Messaging Principles and
Best Practices"). The texts keep to GSM-7, so that with a name of usual length each fits one segment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from rebound.contacts.domain.keywords import Keyword

if TYPE_CHECKING:
    from rebound.businesses.domain.business import Business


ANSWERS: Final[Mapping[str, Mapping[Keyword, str]]] = MappingProxyType(
    {
        "de": {
            Keyword.STOP: "{name}: Sie erhalten keine SMS mehr von uns. Mit START erhalten Sie sie wieder.",
            Keyword.START: "{name}: Sie erhalten wieder SMS von uns. Hilfe mit HELP, Ende mit STOP.",
            Keyword.HELP: "{name}: Hilfe unter {contact}. Mit STOP erhalten Sie keine SMS mehr.",
        },
        "en": {
            Keyword.STOP: "{name}: you will get no more texts from us. Text START to get them again.",
            Keyword.START: "{name}: you will get our texts again. Text HELP for help, STOP to end them.",
            Keyword.HELP: "{name}: for help contact {contact}. Text STOP to get no more texts.",
        },
        "es": {
            Keyword.STOP: "{name}: dejamos de enviarle mensajes. Responda START para volver a recibirlos.",
            Keyword.START: "{name}: le enviamos mensajes de nuevo. Responda HELP para ayuda, STOP para cancelar.",
            Keyword.HELP: "{name}: ayuda en {contact}. Responda STOP para dejar de recibir mensajes.",
        },
        "fr": {
            Keyword.STOP: "{name} : vous ne recevrez plus de SMS. Envoyez START pour en recevoir de nouveau.",
            Keyword.START: "{name} : vous recevrez de nouveau nos SMS. HELP pour de l'aide, STOP pour y mettre fin.",
            Keyword.HELP: "{name} : aide auprès de {contact}. Envoyez STOP pour ne plus recevoir de SMS.",
        },
        "pt": {
            Keyword.STOP: "{name}: deixamos de lhe enviar mensagens. Responda START para voltar a receber.",
            Keyword.START: "{name}: enviamos-lhe mensagens de novo. Responda HELP para ajuda, STOP para cancelar.",
            Keyword.HELP: "{name}: ajuda em {contact}. Responda STOP para deixar de receber mensagens.",
        },
    }
)
"""By language (``LANGUAGES``); Spanish and Portuguese do without the accents that GSM-7 lacks.

The words to text stay English, because those are what providers know.
"""


def answer_to(keyword: Keyword, businesses: Sequence[Business], language: str) -> str:
    """One answer for the businesses that share a sender, in their order; at least one."""
    contacts = [business.owner_email for business in businesses if business.owner_email is not None]
    names = ", ".join(business.name for business in businesses)
    contact = ", ".join(dict.fromkeys(contacts)) or names
    # One after the other would read a placeholder in a name.
    return ANSWERS[language][keyword].format_map({"name": names, "contact": contact})
