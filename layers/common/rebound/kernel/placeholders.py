"""How a placeholder is written, ``##{{first_name}}``, and what editors, mail programs and Markdown make of one."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

PLACEHOLDER: Final = re.compile(r"##\{\{([^{}]{0,64})\}\}")

# What editors, mail programs and Markdown make of a character of a placeholder.
_HASH: Final = r"(?:\\?#|&\#0*35;|&\#x0*23;|&num;|%(?:25)*23|＃)"
_OPEN: Final = r"(?:\\?\{|&\#0*123;|&\#x0*7b;|&l(?:brace|cub);|%(?:25)*7B|｛)"
_CLOSE: Final = r"(?:\\?\}|&\#0*125;|&\#x0*7d;|&r(?:brace|cub);|%(?:25)*7D|｝)"
_UNDERSCORE: Final = r"(?:\\_|&lowbar;|&\#0*95;|&\#x0*5f;|%(?:25)*5F)"
_SPACE: Final = r"(?:\s|&nbsp;|&\#0*(?:32|160);|&\#x0*(?:20|a0);|%C2%A0|%(?:25)*20|\+)"
TAG: Final = r"(?:<!--.{0,200}?-->|<!\[[^<>]{0,100}>|</?[a-zA-Z][^<>]{0,500}>)"
UNSEEN: Final = (
    r"(?:[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff]"
    r"|&(?:shy|zwnj|zwj|ZeroWidthSpace|NoBreak|lrm|rlm);|&\#0*(?:173|820[3-7]|8288|65279);"
    r"|&\#x0*(?:ad|200[b-f]|2060|feff);|%E2%80%8[B-F]|%C2%AD|%EF%BB%BF)"
)
_AMONG: Final = rf"(?:{TAG}|{UNSEEN}|{_SPACE}){{0,12}}"
_INSIDE: Final = rf"(?P<name>(?:[\w.-]|{_UNDERSCORE}|{TAG}|{UNSEEN}|{_SPACE}){{0,80}}?)"
_BRACES: Final = rf"{_OPEN}{_AMONG}{_OPEN}{_INSIDE}{_CLOSE}{_AMONG}{_CLOSE}"
_FLAGS: Final = re.IGNORECASE | re.DOTALL
_MANGLED: Final = rf"{_HASH}{_AMONG}{_HASH}{_AMONG}{_BRACES}"
WITHOUT_HASHES: Final = _BRACES
"""Compiled when they are first used: together they take 4 ms, and most requests for the API have no content."""
TAGS: Final = re.compile(TAG, _FLAGS)
_TAGS_AND_UNSEEN: Final = re.compile(rf"{TAG}|{UNSEEN}", _FLAGS)
_WRAPS: Final = re.compile(r"\s*[\r\n]\s*|\u00a0|&nbsp;|&\#0*160;|&\#x0*a0;|%C2%A0", re.IGNORECASE)
"""White space that an editor puts in, where people write a space at most."""
_SPACES: Final = re.compile(rf"{_SPACE}+", _FLAGS)
_UNDERSCORES: Final = re.compile(_UNDERSCORE, _FLAGS)


@cache
def compiled(source: str) -> re.Pattern[str]:
    """One of the patterns for what an editor made of a placeholder, compiled when it is first used."""
    return re.compile(source, _FLAGS)


def is_bare(source: str) -> bool:
    """Whether a text has nothing that may be a placeholder, as most have not."""
    return "{" not in source and "%" not in source and "&" not in source and "｛" not in source


def mended(source: str, written: Callable[[re.Match[str]], str] | None = None) -> str:
    """The text with each placeholder as it was before an editor mangled it, or as ``written`` has it."""
    return source if is_bare(source) else compiled(_MANGLED).sub(written or as_it_was, source)


def as_it_was(found: re.Match[str]) -> str:
    """A placeholder without what an editor made of it."""
    return f"##{{{{{name_in(found)}}}}}"


def name_in(found: re.Match[str]) -> str:
    """The name within a placeholder's braces, without what got in there."""
    name = _UNDERSCORES.sub("_", _TAGS_AND_UNSEEN.sub("", found["name"]))
    return _SPACES.sub(" ", _WRAPS.sub("", name)).strip()


# What a campaign with a voucher may say of it besides what it says of everybody.
VOUCHER_CODE: Final = "voucher_code"
VOUCHER_VALUE: Final = "voucher_value"
VOUCHER_UNTIL: Final = "voucher_until"
VOUCHER_VARIABLES: Final = (VOUCHER_CODE, VOUCHER_VALUE, VOUCHER_UNTIL)
SAMPLE_CODE: Final = "SAMPLE-CODE"
"""Stands in tests and previews. It has letters that no code has, so that nobody can redeem it."""
NOTHING_MORE: Final[Mapping[str, str]] = MappingProxyType({})
SAMPLE_VALUES: Final[Mapping[str, str]] = MappingProxyType(
    {VOUCHER_CODE: SAMPLE_CODE, VOUCHER_VALUE: "25 %", VOUCHER_UNTIL: "31 December 2026"}
)
"""What stands for a voucher's values where it is only asked whether there would be something to send."""
