"""Laws of the table of pages, of the words, and of the files that browsers load."""

import ast
import re
import string
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

import rebound.console.http
from rebound.console.http.routes import PAGES, ROUTES, Route, find
from rebound.kernel.languages import read_words

HTTP: Final = Path(rebound.console.http.__file__).parent
STATIC: Final = HTTP / "static"
LANGUAGES: Final = sorted(path.stem for path in (HTTP.parent / "words").glob("*.json"))
PUBLISHED: Final = {
    "htmx.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    "sortable.min.js": "bf4241bc73fef7f11c59a283a69fe8051cdd31c6d8ff5a2b9ba219e7831fcf76",
}
"""What others wrote, as they published it (``static/NOTICE.md``)."""


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.address}")
def test_every_row_has_a_handler_and_is_found(route: Route) -> None:
    assert callable(route.handle)
    found, _ = find(route.address.replace("*", "x").split("/"))
    assert found[route.method] is route


def test_no_two_rows_are_for_the_same() -> None:
    assert Counter((route.method, route.address) for route in ROUTES).most_common(1)[0][1] == 1


def test_only_signing_in_needs_no_right() -> None:
    assert {route.handler.partition(".")[0] for route in ROUTES if not route.rights} == {"sign_in"}
    assert all(route.address.startswith("sign-in") for route in ROUTES if not route.rights)


def test_every_page_that_all_pages_lead_to_is_there() -> None:
    assert [name for name in PAGES if "GET" not in find([name])[0]] == []


def test_a_page_loads_only_its_own_module() -> None:
    areas = sorted({route.handler.rpartition(".")[0] for route in ROUTES})
    program = (
        "import sys; from rebound.api import wiring; wiring.load_console(); "
        f"print([each for each in {areas!r} if f'rebound.console.http.{{each}}' in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ast.literal_eval(loaded.stdout) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_the_same_and_leaves_the_same_to_be_filled_in(language: str) -> None:
    english, own = _flat(read_words("console", "en")), _flat(read_words("console", language))
    assert own.keys() == english.keys()
    for key, sentence in own.items():
        assert _filled(sentence) == _filled(english[key]), key
        assert sentence.strip() == sentence != "", key


def test_every_word_that_a_page_says_is_there_and_none_is_left_over() -> None:
    """A name that is put together (``'role.' ~ role``) says where its words begin."""
    templates = "".join(path.read_text(encoding="utf-8") for path in (HTTP / "templates").glob("*.html"))
    code = "".join(path.read_text(encoding="utf-8") for path in HTTP.rglob("*.py"))
    keys = _flat(read_words("console", "en"))
    numbered = {key.removesuffix(".one") for key in keys if key.endswith(".one")}
    known = {key for key in keys if key.rpartition(".")[0] not in numbered} | numbered
    said = set(re.findall(r"""['"]([a-z][a-z_]*\.[a-z][a-z_.]*)['"]""", templates + code))
    begun = set(re.findall(r"""['"]([a-z][a-z_]*\.[a-z_.]*)['"] ~""", templates))
    # Code begins the names of other things in the same way.
    begun_in_code = set(re.findall(r"""f"([a-z][a-z_]*\.[a-z_.]*)\{""", code))
    named = set(re.findall(r"""w\(['"]([a-z_.]+)['"][,)]""", templates))
    assert sorted(named - known) == []
    assert sorted(key for key in known - said if not any(map(key.startswith, begun | begun_in_code))) == []
    words_begun = {each for each in begun if each.partition(".")[0] in {key.partition(".")[0] for key in known}}
    assert sorted(each for each in words_begun if not any(key.startswith(each) for key in known)) == []


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.glob("*.js")))
def test_what_others_wrote_is_what_they_published(name: str) -> None:
    content = (STATIC / name).read_bytes()
    if name in PUBLISHED:
        assert sha256(content).hexdigest() == PUBLISHED[name]
        assert PUBLISHED[name] in (STATIC / "NOTICE.md").read_text(encoding="utf-8")
    else:
        assert b"eval(" not in content
        assert len(content) < 8192, "small, or named in the notice"


@pytest.mark.parametrize("path", sorted((HTTP / "templates").glob("*.html")), ids=lambda path: path.stem)
def test_no_template_has_what_the_policy_forbids_or_trusts_what_was_filled_in(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|\|\s*safe\b|autoescape", text)
    assert not re.search(r"<script(?! src=)", text)
    assert not re.search(r"(src|href|action)=\"https?:", text)
    # An attribute without quotes ends at a blank.
    assert not re.search(r"=\{\{", text)
    for form in re.findall(r"<form(?:(?!</form>).)*method=\"post\"(?:(?!</form>).)*</form>", text, re.DOTALL):
        # The token goes to nobody else: the file is sent to where files are kept.
        goes_away = 'action="{{ form.url }}"' in form
        assert ("csrf" in form) is not (goes_away or path.stem.startswith("sign_in")), form


def _flat(words: Any, before: str = "") -> dict[str, str]:
    if isinstance(words, str):
        return {before: words}
    return {
        key: sentence
        for name, inner in words.items()
        # Languages differ in how many forms they have.
        if name not in ("few", "many")
        for key, sentence in _flat(inner, f"{before}.{name}" if before else name).items()
    }


def _filled(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
