"""docs/field-reports.md names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "field-reports.md").read_text(encoding="utf-8")
CITED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))


def test_every_test_that_a_report_names_exists() -> None:
    texts = {file: (ROOT / file).read_text(encoding="utf-8") for file, _ in CITED if (ROOT / file).is_file()}

    assert CITED
    assert [f"{file}::{name}" for file, name in CITED if f"def {name}(" not in texts.get(file, "")] == []
