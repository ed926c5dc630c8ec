"""What stands on the pages behind links, in every language.

It is HTML, so whatever is put into a sentence is escaped before. ``{kind}`` is one of ``kinds`` and ``{by}`` one of
``by``; ``{whom}`` is an address, or ``somewhere``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from rebound.kernel.channels import Channel
from rebound.kernel.consent_words import Scope
from rebound.preferences.domain.preferences import Choice


class PageWords(Struct, frozen=True):
    """The pages' sentences in one language."""

    kinds: Mapping[Channel, str]
    by: Mapping[Channel, str]
    about: str
    somewhere: str
    pressed_nothing: str
    saved: str
    choose: str

    ask_to_stop: Mapping[Scope, str]
    what_stays: Mapping[Scope, str]
    unsubscribe: str
    choose_instead: str
    unsubscribed: str
    no_more: Mapping[Scope, str]
    subscribe_again: str

    ask_to_confirm: str
    only_if_confirmed: str
    confirm: str
    confirmed: str
    we_send: str

    what_you_get: str
    send_me: str
    choices: Mapping[Choice, tuple[str, str]]
    """What each is called, and what it means."""
    save: str
    about_emails: str
    texts_stopped: str
    text_start_to: str
    text_start: str
    """For a sender without a number of its own."""

    no_such_link: str
    look_whole: str
    ask_for_it: str
    not_understood: str
    open_again: str
    try_again: str
    in_a_moment: str


PAGE_WORDS: Final[Mapping[str, PageWords]] = MappingProxyType(
    {
        "de": PageWords(
            kinds={Channel.EMAIL: "E-Mails", Channel.SMS: "SMS"},
            by={Channel.EMAIL: "per E-Mail", Channel.SMS: "per SMS"},
            about="Es geht um {whom}.",
            somewhere="die Adresse, an die die Nachricht ging",
            pressed_nothing="Es wurde noch nichts geändert: Bitte klicken Sie auf die Schaltfläche.",
            saved="Gespeichert.",
            choose="Auswählen, was Sie erhalten",
            ask_to_stop={
                Scope.ALL: "Alle unsere {kind} abbestellen?",
                Scope.MARKETING: "Unsere Angebote und Neuigkeiten abbestellen?",
                Scope.LOYALTY: "Unsere Treue-{kind} abbestellen?",
            },
            what_stays={
                Scope.ALL: "Das sind alle unsere {kind}, auch Terminerinnerungen.",
                Scope.MARKETING: "{kind} zu Ihren Terminen und Einkäufen erhalten Sie weiterhin.",
                Scope.LOYALTY: "Unsere übrigen {kind} erhalten Sie weiterhin.",
            },
            unsubscribe="Abbestellen",
            choose_instead="Stattdessen auswählen, was Sie erhalten",
            unsubscribed="Sie sind abgemeldet",
            no_more={
                Scope.ALL: "Wir senden keine {kind} mehr an {whom}.",
                Scope.MARKETING: "Wir senden keine Werbe-{kind} mehr an {whom}.",
                Scope.LOYALTY: "Wir senden keine Treue-{kind} mehr an {whom}.",
            },
            subscribe_again="Wieder anmelden",
            ask_to_confirm="Möchten Sie unsere Angebote und Neuigkeiten erhalten?",
            only_if_confirmed="Wir senden sie {by} an {whom}, und nur, wenn Sie es bestätigen. "
            "Sie können sie jederzeit abbestellen.",
            confirm="Ja, bitte senden Sie sie mir",
            confirmed="Danke, das ist bestätigt",
            we_send="Wir senden unsere Angebote und Neuigkeiten {by} an {whom}.",
            what_you_get="Was Sie von uns erhalten",
            send_me="Senden Sie mir",
            choices={
                Choice.EVERYTHING: ("Alles", "Angebote und Neuigkeiten, Treue-{kind}, Termine und Einkäufe"),
                Choice.NO_LOYALTY: ("Alles außer Treue-{kind}", "Angebote und Neuigkeiten, Termine und Einkäufe"),
                Choice.NO_MARKETING: (
                    "Nur zu meinen Terminen und Einkäufen",
                    "Bestätigungen, Erinnerungen, Belege und Antworten",
                ),
                Choice.NOTHING: ("Gar nichts", "Auch keine Terminerinnerungen"),
            },
            save="Speichern",
            about_emails="Diese Seite betrifft E-Mails. Um unsere SMS zu beenden, antworten Sie auf eine davon "
            "mit STOP; mit START erhalten Sie sie wieder.",
            texts_stopped="Unsere SMS sind gestoppt",
            text_start_to="Sie haben unsere SMS mit einem Wort wie STOP beendet. "
            "Senden Sie START an {number}, um sie wieder zu erhalten.",
            text_start="Sie haben unsere SMS mit einem Wort wie STOP beendet. "
            "Senden Sie START an die Nummer, von der sie kamen, um sie wieder zu erhalten.",
            no_such_link="Dieser Link funktioniert nicht",
            look_whole="Es wurde nichts geändert. Bitte öffnen Sie den Link in der Nachricht noch einmal und achten "
            "Sie darauf, dass er vollständig ist.",
            ask_for_it="Wenn er dann immer noch nicht funktioniert, antworten Sie auf die Nachricht und bitten Sie "
            "darum, abgemeldet zu werden.",
            not_understood="Das konnte nicht gelesen werden",
            open_again="Es wurde nichts geändert. Bitte öffnen Sie den Link noch einmal.",
            try_again="Bitte versuchen Sie es noch einmal",
            in_a_moment="Es wurde noch nichts geändert. Bitte versuchen Sie es gleich noch einmal.",
        ),
        "en": PageWords(
            kinds={Channel.EMAIL: "emails", Channel.SMS: "texts"},
            by={Channel.EMAIL: "by email", Channel.SMS: "by text"},
            about="This is about {whom}.",
            somewhere="the address that the message went to",
            pressed_nothing="Nothing has been changed yet: please press the button.",
            saved="Saved.",
            choose="Choose what you get",
            ask_to_stop={
                Scope.ALL: "Stop all our {kind}?",
                Scope.MARKETING: "Unsubscribe from our offers and news?",
                Scope.LOYALTY: "Unsubscribe from our loyalty {kind}?",
            },
            what_stays={
                Scope.ALL: "That is all of our {kind}, also reminders of appointments.",
                Scope.MARKETING: "You still get {kind} about your appointments and purchases.",
                Scope.LOYALTY: "You still get our other {kind}.",
            },
            unsubscribe="Unsubscribe",
            choose_instead="Choose what you get instead",
            unsubscribed="You are unsubscribed",
            no_more={
                Scope.ALL: "We send no more {kind} to {whom}.",
                Scope.MARKETING: "We send no more marketing {kind} to {whom}.",
                Scope.LOYALTY: "We send no more loyalty {kind} to {whom}.",
            },
            subscribe_again="Subscribe again",
            ask_to_confirm="Would you like our offers and news?",
            only_if_confirmed="We send them {by} to {whom}, and only if you confirm it. You can stop them at any time.",
            confirm="Yes, send them to me",
            confirmed="Thank you, that is confirmed",
            we_send="We send our offers and news {by} to {whom}.",
            what_you_get="What you get from us",
            send_me="Send me",
            choices={
                Choice.EVERYTHING: ("Everything", "Offers and news, loyalty {kind}, appointments and purchases"),
                Choice.NO_LOYALTY: ("Everything but loyalty {kind}", "Offers and news, appointments and purchases"),
                Choice.NO_MARKETING: (
                    "Only about my appointments and purchases",
                    "Confirmations, reminders, receipts and answers",
                ),
                Choice.NOTHING: ("Nothing at all", "Not even reminders of appointments"),
            },
            save="Save",
            about_emails="This page is about emails. To stop our text messages, answer one of them with STOP; "
            "START brings them back.",
            texts_stopped="Our texts are stopped",
            text_start_to="You stopped our texts with a word such as STOP. Text START to {number} to get them again.",
            text_start="You stopped our texts with a word such as STOP. "
            "Text START to the number that they came from to get them again.",
            no_such_link="This link does not work",
            look_whole="Nothing has been changed. Please open the link in the message once more, and see that all of "
            "it is there.",
            ask_for_it="If it still does not work, answer the message and ask to be unsubscribed.",
            not_understood="That could not be read",
            open_again="Nothing has been changed. Please open the link once more.",
            try_again="Please try again",
            in_a_moment="Nothing has been changed yet. Please try again in a moment.",
        ),
        "es": PageWords(
            kinds={Channel.EMAIL: "correos electrónicos", Channel.SMS: "SMS"},
            by={Channel.EMAIL: "por correo electrónico", Channel.SMS: "por SMS"},
            about="Se trata de {whom}.",
            somewhere="la dirección a la que se envió el mensaje",
            pressed_nothing="Todavía no se ha cambiado nada: pulse el botón.",
            saved="Guardado.",
            choose="Elegir lo que recibe",
            ask_to_stop={
                Scope.ALL: "¿Dejar de recibir todos nuestros {kind}?",
                Scope.MARKETING: "¿Dejar de recibir nuestras ofertas y novedades?",
                Scope.LOYALTY: "¿Dejar de recibir nuestros {kind} de fidelidad?",
            },
            what_stays={
                Scope.ALL: "Son todos nuestros {kind}, también los recordatorios de citas.",
                Scope.MARKETING: "Seguirá recibiendo {kind} sobre sus citas y compras.",
                Scope.LOYALTY: "Seguirá recibiendo nuestros demás {kind}.",
            },
            unsubscribe="Cancelar la suscripción",
            choose_instead="Elegir en su lugar lo que recibe",
            unsubscribed="Suscripción cancelada",
            no_more={
                Scope.ALL: "Ya no enviaremos {kind} a {whom}.",
                Scope.MARKETING: "Ya no enviaremos {kind} publicitarios a {whom}.",
                Scope.LOYALTY: "Ya no enviaremos {kind} de fidelidad a {whom}.",
            },
            subscribe_again="Suscribirme de nuevo",
            ask_to_confirm="¿Desea recibir nuestras ofertas y novedades?",
            only_if_confirmed="Las enviamos {by} a {whom}, y solo si usted lo confirma. "
            "Puede cancelarlas en cualquier momento.",
            confirm="Sí, deseo recibirlas",
            confirmed="Gracias, queda confirmado",
            we_send="Enviamos nuestras ofertas y novedades {by} a {whom}.",
            what_you_get="Lo que recibe de nosotros",
            send_me="Deseo recibir",
            choices={
                Choice.EVERYTHING: ("Todo", "Ofertas y novedades, {kind} de fidelidad, citas y compras"),
                Choice.NO_LOYALTY: ("Todo menos los {kind} de fidelidad", "Ofertas y novedades, citas y compras"),
                Choice.NO_MARKETING: (
                    "Solo lo relativo a mis citas y compras",
                    "Confirmaciones, recordatorios, recibos y respuestas",
                ),
                Choice.NOTHING: ("Nada", "Ni siquiera recordatorios de citas"),
            },
            save="Guardar",
            about_emails="Esta página se refiere a los correos electrónicos. Para dejar de recibir nuestros SMS, "
            "responda STOP a uno de ellos; con START volverá a recibirlos.",
            texts_stopped="Nuestros SMS están cancelados",
            text_start_to="Usted canceló nuestros SMS con una palabra como STOP. "
            "Envíe START al {number} para volver a recibirlos.",
            text_start="Usted canceló nuestros SMS con una palabra como STOP. "
            "Envíe START al número desde el que llegaron para volver a recibirlos.",
            no_such_link="Este enlace no funciona",
            look_whole="No se ha cambiado nada. Abra de nuevo el enlace del mensaje y compruebe que está completo.",
            ask_for_it="Si sigue sin funcionar, responda al mensaje y pida que cancelemos su suscripción.",
            not_understood="No se ha podido leer la solicitud",
            open_again="No se ha cambiado nada. Abra de nuevo el enlace.",
            try_again="Inténtelo de nuevo",
            in_a_moment="Todavía no se ha cambiado nada. Inténtelo de nuevo dentro de un momento.",
        ),
        "fr": PageWords(
            kinds={Channel.EMAIL: "e-mails", Channel.SMS: "SMS"},
            by={Channel.EMAIL: "par e-mail", Channel.SMS: "par SMS"},
            about="Cela concerne {whom}.",
            somewhere="l'adresse à laquelle le message a été envoyé",
            pressed_nothing="Rien n'a encore été modifié&nbsp;: veuillez appuyer sur le bouton.",
            saved="C'est enregistré.",
            choose="Choisir ce que vous recevez",
            ask_to_stop={
                Scope.ALL: "Ne plus recevoir aucun de nos {kind}&nbsp;?",
                Scope.MARKETING: "Ne plus recevoir nos offres et actualités&nbsp;?",
                Scope.LOYALTY: "Ne plus recevoir nos {kind} de fidélité&nbsp;?",
            },
            what_stays={
                Scope.ALL: "Cela concerne tous nos {kind}, y compris les rappels de rendez-vous.",
                Scope.MARKETING: "Vous recevrez toujours des {kind} concernant vos rendez-vous et vos achats.",
                Scope.LOYALTY: "Vous recevrez toujours nos autres {kind}.",
            },
            unsubscribe="Se désabonner",
            choose_instead="Choisir plutôt ce que vous recevez",
            unsubscribed="Désabonnement effectué",
            no_more={
                Scope.ALL: "Nous n'enverrons plus nos {kind} à {whom}.",
                Scope.MARKETING: "Nous n'enverrons plus nos {kind} publicitaires à {whom}.",
                Scope.LOYALTY: "Nous n'enverrons plus nos {kind} de fidélité à {whom}.",
            },
            subscribe_again="Se réabonner",
            ask_to_confirm="Souhaitez-vous recevoir nos offres et actualités&nbsp;?",
            only_if_confirmed="Nous les envoyons {by} à {whom}, et seulement si vous le confirmez. "
            "Vous pouvez y mettre fin à tout moment.",
            confirm="Oui, je souhaite les recevoir",
            confirmed="Merci, c'est confirmé",
            we_send="Nous envoyons nos offres et actualités {by} à {whom}.",
            what_you_get="Ce que vous recevez de notre part",
            send_me="Je souhaite recevoir",
            choices={
                Choice.EVERYTHING: ("Tout", "Offres et actualités, {kind} de fidélité, rendez-vous et achats"),
                Choice.NO_LOYALTY: ("Tout sauf les {kind} de fidélité", "Offres et actualités, rendez-vous et achats"),
                Choice.NO_MARKETING: (
                    "Uniquement ce qui concerne mes rendez-vous et mes achats",
                    "Confirmations, rappels, reçus et réponses",
                ),
                Choice.NOTHING: ("Rien du tout", "Pas même les rappels de rendez-vous"),
            },
            save="Enregistrer",
            about_emails="Cette page concerne les e-mails. Pour ne plus recevoir nos SMS, répondez STOP à l'un "
            "d'eux&nbsp;; START permet de les recevoir de nouveau.",
            texts_stopped="Nos SMS sont arrêtés",
            text_start_to="Vous avez arrêté nos SMS avec un mot tel que STOP. "
            "Envoyez START au {number} pour les recevoir de nouveau.",
            text_start="Vous avez arrêté nos SMS avec un mot tel que STOP. "
            "Envoyez START au numéro d'où ils provenaient pour les recevoir de nouveau.",
            no_such_link="Ce lien ne fonctionne pas",
            look_whole="Rien n'a été modifié. Veuillez rouvrir le lien du message et vérifier qu'il est complet.",
            ask_for_it="S'il ne fonctionne toujours pas, répondez au message en demandant votre désabonnement.",
            not_understood="La demande n'a pas pu être lue",
            open_again="Rien n'a été modifié. Veuillez rouvrir le lien.",
            try_again="Veuillez réessayer",
            in_a_moment="Rien n'a encore été modifié. Veuillez réessayer dans un instant.",
        ),
        "pt": PageWords(
            kinds={Channel.EMAIL: "e-mails", Channel.SMS: "SMS"},
            by={Channel.EMAIL: "por e-mail", Channel.SMS: "por SMS"},
            about="Isto abrange apenas {whom}.",
            somewhere="o endereço para o qual a mensagem foi enviada",
            pressed_nothing="Ainda nada foi alterado: clique no botão.",
            saved="Guardado.",
            choose="Escolher o que recebe",
            ask_to_stop={
                Scope.ALL: "Deixar de receber todos os nossos {kind}?",
                Scope.MARKETING: "Deixar de receber as nossas ofertas e novidades?",
                Scope.LOYALTY: "Deixar de receber os nossos {kind} de fidelidade?",
            },
            what_stays={
                Scope.ALL: "São todos os nossos {kind}, incluindo os lembretes de agendamentos.",
                Scope.MARKETING: "Continuará a receber {kind} sobre os seus agendamentos e compras.",
                Scope.LOYALTY: "Continuará a receber os nossos outros {kind}.",
            },
            unsubscribe="Deixar de receber",
            choose_instead="Em vez disso, escolher o que recebe",
            unsubscribed="Cancelamento concluído",
            no_more={
                Scope.ALL: "Não enviaremos mais {kind} para {whom}.",
                Scope.MARKETING: "Não enviaremos mais {kind} publicitários para {whom}.",
                Scope.LOYALTY: "Não enviaremos mais {kind} de fidelidade para {whom}.",
            },
            subscribe_again="Voltar a receber",
            ask_to_confirm="Deseja receber as nossas ofertas e novidades?",
            only_if_confirmed="São enviadas {by} para {whom}, e só se confirmar. Pode cancelar a qualquer momento.",
            confirm="Sim, quero recebê-las",
            confirmed="Obrigado, está confirmado",
            we_send="Enviamos as nossas ofertas e novidades {by} para {whom}.",
            what_you_get="O que recebe de nós",
            send_me="Quero receber",
            choices={
                Choice.EVERYTHING: ("Tudo", "Ofertas e novidades, {kind} de fidelidade, agendamentos e compras"),
                Choice.NO_LOYALTY: (
                    "Tudo menos os {kind} de fidelidade",
                    "Ofertas e novidades, agendamentos e compras",
                ),
                Choice.NO_MARKETING: (
                    "Só sobre os meus agendamentos e compras",
                    "Confirmações, lembretes, recibos e respostas",
                ),
                Choice.NOTHING: ("Nada", "Nem sequer lembretes de agendamentos"),
            },
            save="Guardar",
            about_emails="Esta página é sobre e-mails. Para deixar de receber os nossos SMS, responda STOP a um deles; "
            "com START volta a recebê-los.",
            texts_stopped="Os nossos SMS estão cancelados",
            text_start_to="Cancelou os nossos SMS com uma palavra como STOP. "
            "Envie START para {number} para voltar a recebê-los.",
            text_start="Cancelou os nossos SMS com uma palavra como STOP. "
            "Envie START para o número de onde vieram para voltar a recebê-los.",
            no_such_link="Este link não funciona",
            look_whole="Nada foi alterado. Abra novamente o link da mensagem e verifique se está completo.",
            ask_for_it="Se continuar sem funcionar, responda à mensagem e peça o cancelamento.",
            not_understood="Não foi possível ler o pedido",
            open_again="Nada foi alterado. Abra novamente o link.",
            try_again="Tente novamente",
            in_a_moment="Ainda nada foi alterado. Tente novamente daqui a pouco.",
        ),
    }
)
"""By language (``LANGUAGES``)."""
