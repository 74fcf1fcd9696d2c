"""A throw-away PostgreSQL server in a folder of its own, reached by a socket in that folder."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


class NoServerError(Exception):
    """Why there is none on this machine."""


def programs() -> Path:
    """The folder of `initdb` and `pg_ctl`. Raises `NoServerError`."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    place = next((place for place in PLACES if (place / "initdb").exists()), None)
    if place is None:
        raise NoServerError("no PostgreSQL server on this machine: install Debian's package postgresql")
    return place


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run one until left; the SQLAlchemy address of its empty database."""
    place = programs()
    as_user: list[str | Path] = [*_as_user(folder)]
    data = folder / "data"
    subprocess.run(
        [*as_user, place / "initdb", "--pgdata", data, "--username", "bot", "--auth", "trust"],
        check=True,
        capture_output=True,
    )
    start(folder)
    try:
        yield f"postgresql://bot@/postgres?host={folder}"
    finally:
        stop(folder)


def start(folder: Path) -> None:
    """Start the server of a folder, until it takes connections."""
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    command = [*_control(folder), "--log", folder / "log", "--options", options, "start"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def stop(folder: Path) -> None:
    """Stop it as a machine does that loses its power: every connection breaks."""
    subprocess.run([*_control(folder), "--mode", "immediate", "stop"], check=True, capture_output=True)


def _control(folder: Path) -> list[str | Path]:
    return [*_as_user(folder), programs() / "pg_ctl", "--pgdata", folder / "data", "--wait"]


def _as_user(folder: Path) -> list[str]:
    """The server refuses to run as root: then it runs as the package's own user. Raises `NoServerError`."""
    if os.getuid() != 0:
        return []
    if shutil.which("runuser") is None:
        raise NoServerError("PostgreSQL does not run as root, and there is no runuser here")
    try:
        shutil.chown(folder, "postgres")
    except LookupError:
        raise NoServerError("PostgreSQL does not run as root, and there is no user postgres here") from None
    return ["runuser", "--user", "postgres", "--"]
