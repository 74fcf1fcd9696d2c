"""The languages that people read in Slack: English, in which the sentences stand in the code, and Chinese.

`t` gives a sentence in the language of whoever reads it. Whoever makes a message says for whom, by `reading`; the views
stay functions of one value.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from typing import Literal

Language = Literal["en", "zh"]

_CHINESE = r"[\u3001-\u303f\u4e00-\u9fff\uff00-\uffef]"
_BETWEEN_CHINESE = re.compile(f"(?<={_CHINESE}) (?={_CHINESE})")
"""Chinese is written without spaces. Those beside a gap are for Slack, which sees marks only apart from letters; they
go where the gap holds Chinese too."""

_language: ContextVar[Language] = ContextVar("language", default="en")


def language_of(locale: str) -> Language:
    """The language for a locale of Slack's, such as `zh-CN` (docs.slack.dev, `users.info` with `include_locale`)."""
    return "zh" if locale.lower().startswith("zh") else "en"


@contextmanager
def reading(language: Language) -> Iterator[None]:
    """Within it, sentences are in this language."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def t(sentence: str, /, **values: object) -> str:
    """A sentence in the reader's language, with its gaps filled in; in English where the catalogue lacks it.

    Args:
        sentence: In English, as it stands in the catalogue. Without values it is no template: braces stay as they are.
        values: By the name of the gap.
    """
    language = _language.get()
    text = sentence if language == "en" else sentences(language).get(sentence, sentence)
    text = text.format(**values) if values else text
    return _BETWEEN_CHINESE.sub("", text) if language == "zh" else text


def phrase(text: str) -> str:
    """Marks words of a table, which is built before anybody reads it: the view that shows them passes them to `t`."""
    return text


@cache
def sentences(language: Language) -> Mapping[str, str]:
    """The catalogue of a language: its sentences by the English ones. Read when somebody first needs it."""
    text = resources.files("handlers.languages").joinpath(f"{language}.json").read_text(encoding="utf-8")
    catalogue: Mapping[str, str] = json.loads(text)
    return catalogue
