"""docs/connect.md says of each way to a cluster what it proves."""

import re
from pathlib import Path
from typing import get_args

from services.operations.procedures import PROCEDURES
from services.policy.sites import Access

PAGE = (Path(__file__).parents[3] / "docs" / "connect.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("### How the bot reaches a cluster")[2].partition("\n### ")[0]
ROWS = [tuple(re.split(r" \| ", line.strip("| "))) for line in SECTION.splitlines() if line.startswith("| ")]
HEAD = next(row for row in ROWS if row[0] == "what is proven")
PROOFS = ROWS[ROWS.index(HEAD) + 1 :]


def test_every_way_has_a_row_and_a_column() -> None:
    ways = set(get_args(Access))

    assert {row[0].strip("`") for row in ROWS[1 : ROWS.index(HEAD)]} == ways
    assert set(re.findall(r"`(\w+)`", " ".join(HEAD))) == ways


def test_what_cards_call_not_looked_at_is_what_the_table_says_is_lost() -> None:
    not_looked_at = {proof for kind in PROCEDURES.kinds for check in PROCEDURES[kind].checks for proof in check.proofs}
    lost = {row[0] for row in PROOFS if row[2].startswith("no")} - {"that the cluster is the site's own"}

    assert {proof for proof in not_looked_at if not any(proof in row for row in lost)} == set()
    assert {row for row in lost if not any(proof in row for proof in not_looked_at)} == set()
