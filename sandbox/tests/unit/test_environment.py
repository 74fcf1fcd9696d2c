"""Environment for clients."""

import stat
import subprocess
from pathlib import Path

from sandbox import environment


def test_a_shell_reads_back_exactly_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.env"
    value = 'it\'s $HOME `and` "more"'

    environment.write(path, {"ODD": value})

    shell = ["sh", "-c", f'set -a; . {path}; printf %s "$ODD"']
    assert subprocess.run(shell, capture_output=True, text=True, check=True).stdout == value


def test_the_file_is_for_the_owner_only_even_if_it_was_open_before(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.env"
    path.touch(mode=0o644)

    environment.write(path, {"A": "1"})

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_command_gets_no_proxies() -> None:
    own = {"HTTPS_PROXY": "http://proxy", "no_proxy": "x", "PATH": "/bin"}

    assert environment.for_command({"A": "1"}, own) == {"PATH": "/bin", "A": "1"}
