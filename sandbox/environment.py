"""What clients need to reach the sandbox, as environment variables: for a file, for a command."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy"})


def write(path: Path, values: Mapping[str, str]) -> None:
    """Write KEY=VALUE lines that a shell can read with `set -a; . FILE`; only the owner may read the file.

    A key that begins with # is a hint, which the shell ignores.
    """
    text = "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def for_command(values: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command: this process's own, without proxies, which can't reach the loopback interface."""
    inherited = {key: value for key, value in own.items() if key.lower() not in PROXIES}
    return {**inherited, **{key: value for key, value in values.items() if not key.startswith("#")}}
