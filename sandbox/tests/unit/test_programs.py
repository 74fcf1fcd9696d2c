"""Programs of containers: what they are given, and how they end."""

import json
from collections.abc import AsyncIterator

import pytest

from sandbox.edge.programs import KILLED, Programs

LOOK = """
import json, os, sys
print(json.dumps([sys.argv[1:], dict(os.environ), os.listdir()]))
"""


@pytest.fixture
async def programs() -> AsyncIterator[Programs]:
    running = Programs()
    yield running
    await running.close()


async def test_a_program_has_its_arguments_its_environment_and_an_empty_folder(programs: Programs) -> None:
    code, log = await programs.run(["-I", "-c", LOOK, "first", "second"], {"PULL": "ü"})

    assert code == 0
    assert json.loads(log) == [["first", "second"], {"PULL": "ü"}, []]


@pytest.mark.parametrize(
    ("program", "code", "last"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('no answer')", 1, "no answer"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero"),
        ("import os; os.kill(os.getpid(), 9)", KILLED, ""),
    ],
)
async def test_a_program_ends_with_its_code_and_its_last_words(
    programs: Programs, program: str, code: int, last: str
) -> None:
    ended, log = await programs.run(["-c", program], {})

    assert (ended, log.strip().rpartition("\n")[2]) == (code, last)


async def test_one_program_leaves_nothing_to_the_next(programs: Programs) -> None:
    await programs.run(["-c", "import os, json; os.environ['LEFT'] = 'yes'; json.left = 1; left = 1"], {})

    _, log = await programs.run(["-c", "import os, json; print('LEFT' in os.environ, hasattr(json, 'left'))"], {})

    assert log == "False False\n"
