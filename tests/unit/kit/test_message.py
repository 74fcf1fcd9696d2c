import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handlers.kit import Field, Modal
from handlers.kit.message import submission, view
from handlers.kit.words import words

MODAL = Modal(
    "Deploy a connected registry at a site",
    "Deploy",
    "deploy",
    (
        Field("name", "Name", required=True, positional=True, initial="edge01"),
        Field("site", "Site", "suggest", initial="berlin"),
        Field("repository", "Repositories", "suggests", initial=("a", "b")),
        Field("reason", "Reason", "lines"),
        Field("dry_run", "Dry run", "flag"),
    ),
)


def submitted(**values: dict[str, Any]) -> dict[str, Any]:
    made = view(MODAL, channel="C0EDGE", thread_ts="1.2")
    return made | {"state": {"values": {block: {"value": element} for block, element in values.items()}}}


def test_a_view_is_prefilled_and_within_slack_s_limits() -> None:
    made = view(MODAL, channel="C0EDGE")

    assert len(made["title"]["text"]) <= 24
    assert made["blocks"][0]["element"]["initial_value"] == "edge01"
    assert made["blocks"][1]["element"]["initial_option"]["value"] == "berlin"
    assert len(made["blocks"][2]["element"]["initial_options"]) == 2
    assert "initial_options" not in made["blocks"][4]["element"]
    assert len(made["private_metadata"]) < 3000
    assert json.loads(made["private_metadata"])["channel"] == "C0EDGE"


def test_a_submitted_form_is_command_text() -> None:
    said = submission(
        submitted(
            name={"type": "plain_text_input", "value": "edge01"},
            site={"type": "external_select", "selected_option": {"value": "berlin"}},
            repository={"type": "multi_external_select", "selected_options": [{"value": "a"}, {"value": "b"}]},
            reason={"type": "plain_text_input", "value": "not now"},
            dry_run={"type": "checkboxes", "selected_options": [{"value": "yes"}]},
        )
    )

    assert said.text == 'deploy edge01 --site berlin --repository a --repository b --reason "not now" --dry-run'
    assert (said.channel, said.thread_ts) == ("C0EDGE", "1.2")


def test_what_is_left_empty_is_not_said() -> None:
    assert submission(submitted(name={"type": "plain_text_input", "value": None})).text == "deploy"


@given(st.text().filter(str.strip))
def test_whatever_somebody_fills_in_stays_one_word(text: str) -> None:
    said = submission(submitted(reason={"type": "plain_text_input", "value": text}))

    assert words(said.text, typed=False)[-1].removeprefix("--reason=") == text.strip()


def test_a_value_that_begins_with_a_dash_is_kept_with_its_option() -> None:
    said = submission(submitted(reason={"type": "plain_text_input", "value": "- not now"}))

    assert said.text == 'deploy --reason="- not now"'
