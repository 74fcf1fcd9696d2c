"""What people read when the edge gave no answer about its images."""

import pytest

from handlers.views.images import silence
from services.model.contents import EdgeSilence
from services.model.errors import NoAccess


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (EdgeSilence("NoReader", "the pull secret is not there"), "nothing else may read them at the edge: the pull"),
        (EdgeSilence("Refused", "HTTP 401"), "refuses the client token of the workload: HTTP 401. It takes"),
        (EdgeSilence("Unreachable", "timed out"), "In its own cluster `edge01` did not answer: timed out."),
        (EdgeSilence("NoProgram", "exceeded quota"), "The Job that asks it did not run: exceeded quota. Its image"),
        (EdgeSilence("Unreadable"), "What `edge01` answered can't be read."),
        (EdgeSilence("NotAsked", error=NoAccess("kubernetes", "oslo")), "oslo"),
    ],
)
def test_each_silence_says_where_it_comes_from(answer: EdgeSilence, words: str) -> None:
    assert words in silence(answer, "edge01", "/registry")
