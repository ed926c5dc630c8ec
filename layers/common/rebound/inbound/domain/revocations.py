"""Recognising texts whose senders ask in their own words not to be texted any more.

The phrases are data, by language. They are wide on purpose: a match only holds marketing back until staff have read the
text, whereas a sender who is missed goes on getting messages. A revocation in any reasonable words counts in the United
States (47 CFR 64.1200(a)(10)).
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

PHRASES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "de": (
            r"\bkeine? (weiteren? |mehr )?(sms|nachrichten?|werbung|texte?|mitteilungen)\b",
            r"\bnicht mehr (\w+ )?(schreiben|anschreiben|kontaktieren|texten|senden|schicken|schreibt)\b",
            r"\b(hort|horen sie|hor) (bitte )?(\w+ ){0,4}auf\b",
            r"\b(abmelden|abmeldung|abbestell\w+|austragen|stopp)\b",
            r"\b(losch\w*|loesch\w*|entfern\w*|streich\w*) (\w+ ){0,3}(nummer|mich|liste|verteiler|daten)\b",
            r"\b(lasst|lassen sie|lass) (mich|uns) (\w+ )?in ruhe\b",
        ),
        "en": (
            r"\b(stop|quit|cease) (\w+ ){0,2}(text|messag|contact|spamm|bother|harass|send|writ)ing\b",
            r"\b(stop|end|cancel|no more|no further|enough) (\w+ ){0,3}(texts?|messages?|msgs?|sms|spam|promos?)\b",
            r"\b(stop|end|cancel|no more|no further|enough) (\w+ ){0,3}(promotions?|ads|marketing|notifications?)\b",
            r"\b(do not|dont|never|not to) (\w+ )?(text|txt|message|msg|contact|sms|spam|write) (to )?(me|us|my)\b",
            r"\b(do not|dont|never|not to) (\w+ )?(text|txt|message|msg|contact|sms|spam|write) (again|anymore)\b",
            r"\b(dont|do not) (want|need|wish) (\w+ ){0,4}(texts?|messages?|msgs?|sms|spam|promos?|marketing)\b",
            r"\b(remove|delete|take|get) (me|my number|my name|this number|us) (\w+ )?(off|out|from|please)\b",
            r"\b(remove|delete) (me|my number|this number)\b",
            r"\bunsub(scribe)?\b",
            r"\bopt(ed|ing)? (me )?out\b",
            r"\bleave me alone\b",
            r"\blose my number\b",
            r"\bwrong number\b",
            r"^(please|pls|plz|just|ok|okay) (stop|quit|unsubscribe|end)\b",
            r"^(stop|quit) (it|this|that|please|pls|plz|now|already|thanks|thank you)\b",
        ),
        "es": (
            r"\bno mas (mensajes?|sms|textos?|publicidad|spam)\b",
            r"\bno (quiero|deseo) (\w+ ){0,3}(mensajes?|sms|textos?|publicidad)\b",
            r"\bno (me |nos )?(envien?|envies|manden?|mandes|escriban?|escribas|molesten?|contacten?)\b",
            r"\b(dejen?|deja|dejad|paren?|para|basta) de (\w+ ){0,2}((envi|mand|escrib|molest)\w+|mensajes?|sms)\b",
            r"\b(borrame|borren|elimina|eliminame|quiten|quitame|saquen) (\w+ ){0,4}(lista|numero|base)\b",
            r"\b(borrenme|eliminenme|quitenme|saquenme)\b",
            r"\b(dar|darme|dame|denme|deme|quiero) (\w+ )?(de )?baja\b",
            r"^baja$",
            r"\bcancelar (la |mi )?(suscripcion|subscripcion)\b",
        ),
        "fr": (
            r"\b(arretez|arreter?|stop|stoppez|cessez) (\w+ ){0,4}(sms|messages?|textos?|ecrire|envoyer|spam|pubs?)\b",
            r"\b(plus|pas) de (sms|messages?|textos?|pubs?|publicites?)\b",
            r"\bne (\w+ ){0,2}m?(ecrivez|contactez|envoyez|texter?|ecris|contacte|envoie) plus\b",
            r"\bdesabonn\w+\b",
            r"\bdesinscri\w+\b",
            r"\b(supprimez|retirez|enlevez|effacez) (moi|mon numero|mes)\b",
            r"\b(laissez|foutez) moi (\w+ )?tranquille\b",
            r"^arret(ez|e|er)?$",
        ),
        "it": (
            r"\b(basta|niente piu) (\w+ )?(messaggi|sms|pubblicita)\b",
            r"\bnon (\w+ )?(scrivetemi|scrivermi|mandatemi|inviatemi|contattatemi)\b",
            r"\b(cancellatemi|cancellami|disiscriv\w+|rimuovetemi)\b",
        ),
        "nl": (
            r"\bgeen (\w+ )?(sms|berichten|sms jes) meer\b",
            r"\b(afmelden|uitschrijven|schrijf me uit)\b",
            r"\bstop met (\w+ ){0,2}(sms|berichten|sturen|appen)\b",
        ),
        "pt": (
            r"\b(parem?|parar|chega|pare) de (\w+ ){0,3}(mensagens?|mensagem|sms|enviar|mandar|escrever|perturbar)\b",
            r"\bnao (quero|desejo) (\w+ ){0,3}(mensage\w+|sms|publicidade|propaganda)\b",
            r"\bnao (me |nos )?(mandem?|mande|enviem?|escrevam?|contatem?|contactem?) mais\b",
            r"\b(sem|nada de) mais (mensagens|sms)\b",
            r"\b(removam?|retirem?|tirem?|excluam?|apaguem?) (\w+ ){0,3}(lista|numero|cadastro|contato)\b",
            r"\b(me (removam?|retirem?|tirem?|excluam?)|descadastr\w+)\b",
            r"\bcancelar (a |minha )?(inscricao|assinatura|subscricao)\b",
            r"^(sair|parar)$",
        ),
    }
)
"""By language (ISO 639-1): expressions over the words of a text in lower case, without accents and punctuation."""


def reads_like_a_revocation(body: str) -> bool:
    """Whether somebody should read the text before the next marketing message goes out."""
    return any(phrase.search(_words(body)) for phrase in _compiled())


def _words(body: str) -> str:
    """The words alone, in lower case; an apostrophe is left out of its word (``don't`` becomes ``dont``)."""
    decomposed = unicodedata.normalize("NFKD", body.casefold())
    letters = "".join(c for c in decomposed if not unicodedata.combining(c) and c not in "'\u2019\u02bc`")
    return " ".join("".join(c if c.isalnum() else " " for c in letters).split())


@cache
def _compiled() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(phrase) for phrases in PHRASES.values() for phrase in phrases)
