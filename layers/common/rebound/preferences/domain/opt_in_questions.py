"""The question for marketing (double opt-in), as it is sent: in every language, by email and by text."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from rebound.kernel.channels import Channel
from rebound.messages.domain.content import EmailContent, TextContent

if TYPE_CHECKING:
    from rebound.messages.domain.content import Content


def _email(subject: str, hello: str, question: str, button: str, otherwise: str) -> EmailContent:
    return EmailContent(
        subject,
        f'<p>{hello}</p><p>{question}</p><p><a href="##{{{{confirm_url}}}}">{button}</a></p><p>{otherwise}</p>',
        f"{hello}\n\n{question}\n\n##{{{{confirm_url}}}}\n\n{otherwise}\n",
    )


OPT_IN_QUESTIONS: Final[Mapping[str, Mapping[Channel, Content]]] = MappingProxyType(
    {
        "de": {
            Channel.EMAIL: _email(
                "Möchten Sie Neuigkeiten und Angebote von ##{{business_name}}?",
                "Guten Tag ##{{first_name}},",
                "möchten Sie Neuigkeiten und Angebote von ##{{business_name}} per E-Mail erhalten? "
                "Dann bestätigen Sie das bitte hier:",
                "Ja, bitte senden Sie mir Neuigkeiten und Angebote",
                "Wenn nicht, brauchen Sie nichts zu tun: Ohne Ihre Bestätigung senden wir Ihnen keine.",
            ),
            Channel.SMS: TextContent(
                "##{{business_name}}: Möchten Sie unsere Angebote per SMS? "
                "Antworten Sie START, um sie zu erhalten, oder STOP für keine SMS von uns."
            ),
        },
        "en": {
            Channel.EMAIL: _email(
                "Would you like news and offers from ##{{business_name}}?",
                "Hello ##{{first_name}},",
                "would you like to get news and offers from ##{{business_name}} by email? Then please confirm it here:",
                "Yes, send me news and offers",
                "If not, there is nothing to do: without your confirmation we send you none.",
            ),
            Channel.SMS: TextContent(
                "##{{business_name}}: would you like our offers by text? "
                "Reply START to get them, or STOP to get no texts from us."
            ),
        },
        "es": {
            Channel.EMAIL: _email(
                "¿Desea recibir novedades y ofertas de ##{{business_name}}?",
                "Hola, ##{{first_name}}:",
                "¿Desea recibir novedades y ofertas de ##{{business_name}} por correo electrónico? "
                "En ese caso, confírmelo aquí:",
                "Sí, deseo recibir novedades y ofertas",
                "Si no lo desea, no tiene que hacer nada: sin su confirmación no le enviaremos ninguna.",
            ),
            Channel.SMS: TextContent(
                "##{{business_name}}: ¿desea recibir nuestras ofertas por SMS? "
                "Responda START para recibirlas o STOP para no recibir SMS nuestros."
            ),
        },
        "fr": {
            Channel.EMAIL: _email(
                "Souhaitez-vous recevoir les actualités et offres de ##{{business_name}} ?",
                "Bonjour ##{{first_name}},",
                "Souhaitez-vous recevoir les actualités et offres de ##{{business_name}} par e-mail ? "
                "Si oui, veuillez le confirmer ici :",
                "Oui, je souhaite recevoir les actualités et offres",
                "Sinon, vous n'avez rien à faire : sans votre confirmation, nous ne vous en enverrons pas.",
            ),
            Channel.SMS: TextContent(
                "##{{business_name}} : souhaitez-vous recevoir nos offres par SMS ? "
                "Répondez START pour les recevoir, ou STOP pour ne recevoir aucun SMS."
            ),
        },
        "pt": {
            Channel.EMAIL: _email(
                "Deseja receber novidades e ofertas de ##{{business_name}}?",
                "Olá, ##{{first_name}}!",
                "Deseja receber novidades e ofertas de ##{{business_name}} por e-mail? Nesse caso, confirme aqui:",
                "Sim, quero receber novidades e ofertas",
                "Caso contrário, não precisa de fazer nada: sem a sua confirmação, não lhe enviaremos nenhuma.",
            ),
            Channel.SMS: TextContent(
                "##{{business_name}}: deseja receber as nossas ofertas por SMS? "
                "Responda START para receber, ou STOP para deixar de receber SMS nossos."
            ),
        },
    }
)
"""By language (``LANGUAGES``) and channel. START and not YES, which people answer to many things."""
