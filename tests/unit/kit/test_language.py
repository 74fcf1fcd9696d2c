"""The catalogues of sentences."""

import json
import re
from datetime import timedelta
from string import Formatter

import pytest

from handlers.kit.language import language_of, reading
from handlers.kit.text import count, duration, listed
from tests.languages import CATALOGUES, sentences

LANGUAGES = tuple(path.stem for path in sorted(CATALOGUES.glob("*.json")))
GRAMMAR = frozenset({"s", "are", "have", "has", "need"})
"""Gaps for an English plural, which another language may not need."""


def catalogue(language: str) -> dict[str, str]:
    entries: dict[str, str] = json.loads((CATALOGUES / f"{language}.json").read_text(encoding="utf-8"))
    return entries


def gaps(sentence: str) -> list[tuple[str, str]]:
    """Names and forms of the gaps; a date's form is a matter of the language."""
    return sorted(
        (name, "%" if "%" in (form or "") else f"{form}{conversion}")
        for _, name, form, conversion in Formatter().parse(sentence)
        if name is not None and name not in GRAMMAR
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_every_sentence_and_no_other(language: str) -> None:
    entries = catalogue(language)

    assert {text for text, translation in entries.items() if translation} == sentences()
    assert list(entries) == sorted(entries)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_gaps_and_the_code_of_its_sentence(language: str) -> None:
    wrong = {
        text: translation
        for text, translation in catalogue(language).items()
        if gaps(text) != gaps(translation)
        or sorted(re.findall(r"`[^`]*`", text)) != sorted(re.findall(r"`[^`]*`", translation))
    }

    assert wrong == {}


def test_slack_sees_the_marks_in_chinese_sentences_since_they_stand_apart() -> None:
    beside = re.compile(r"[\u4e00-\u9fff][{`]|[}`][\u4e00-\u9fff]")

    assert [translation for translation in catalogue("zh").values() if beside.search(translation)] == []


def test_chinese_locales_are_read_in_chinese_and_all_others_in_english() -> None:
    assert [language_of(locale) for locale in ("zh-CN", "zh-TW", "en-GB", "de-DE", "")] == [
        "zh",
        "zh",
        "en",
        "en",
        "en",
    ]


def test_numbers_and_lists_are_read_in_chinese() -> None:

    with reading("zh"):
        texts = (count(2, "step"), duration(timedelta(hours=2, minutes=5)), listed("abc"))

    assert texts == ("2 个步骤", "2 小时 5 分钟", "a、b 和 c")
