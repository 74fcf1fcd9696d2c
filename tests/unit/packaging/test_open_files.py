"""How many files a bot may open: it has a connection to each cluster that it asks."""

import resource
import subprocess
import sys

from bot.start import FILES

PROGRAM = """
import resource
from bot.start import allow_connections
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
allow_connections()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_a_bot_that_may_open_few_files_lets_itself_open_as_many_as_the_system_allows() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    answer = subprocess.run([sys.executable, "-c", PROGRAM], text=True, capture_output=True, check=True)

    assert int(answer.stdout) == min(FILES, {resource.RLIM_INFINITY: FILES}.get(hard, hard))
