"""Lines that people paste, mistype or make up: each is a command, or an error with a sentence."""

from hypothesis import given
from hypothesis import strategies as st

from handlers import COMMANDS
from handlers.kit.catalogue import Catalogue
from handlers.kit.words import join, words
from handlers.views.errors import plain
from services.model.errors import DomainError
from tests.fuzzing import fuzzed
from tests.unit.kit.declared import SITES

CATALOGUE = Catalogue(COMMANDS)
NAMES = sorted(command.name for command in CATALOGUE)
OPTIONS = sorted({f"--{parameter.name.replace('_', '-')}" for command in CATALOGUE for parameter in command.parameters})
PIECES = st.one_of(
    st.sampled_from([word for name in NAMES for word in name.split()]),
    st.sampled_from(OPTIONS),
    st.sampled_from(
        [
            "edge01",
            "berlin",
            "op-7k3q9xa",
            "1",
            "2h",
            "P1D",
            "0 9 * * 1-5",
            "<@U1|bob>",
            "*",
            "“x”",
            "`a`",
            "--",
            "-",
            "=",
            "--=",
            '"',
        ]
    ),
    st.text(max_size=8),
)
LINES = st.one_of(
    st.text(max_size=200),
    st.lists(PIECES, max_size=10).map(" ".join),
    st.tuples(st.sampled_from(NAMES), st.lists(PIECES, max_size=8).map(" ".join)).map(" ".join),
)


@fuzzed
@given(LINES)
def test_any_line_is_a_command_or_an_error_with_a_sentence(line: str) -> None:
    sentence = ""
    try:
        typed = words(line, typed=True)
        command, arguments = CATALOGUE.find(CATALOGUE.with_help(typed))
        CATALOGUE.parse(command, arguments, SITES)
    except DomainError as error:
        sentence = plain(error)
    else:
        assert words(join(typed), typed=False) == typed
    assert sentence or command
