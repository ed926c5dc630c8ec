"""How many segments a text takes, as Twilio counts them in ``num_segments``."""

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_ESCAPED = frozenset("\f^{}\\[~]|€")


def segments(body: str) -> int:
    """Segments of a text body; a character is never split over two of them (3GPP TS 23.038)."""
    if all(character in _GSM or character in _GSM_ESCAPED for character in body):
        return _pack([2 if character in _GSM_ESCAPED else 1 for character in body], 160, 153)
    return _pack([len(character.encode("utf-16-be")) // 2 for character in body], 70, 67)


def _pack(widths: list[int], alone: int, joined: int) -> int:
    if sum(widths) <= alone:
        return 1
    count, used = 1, 0
    for width in widths:
        if used + width > joined:
            count, used = count + 1, 0
        used += width
    return count
