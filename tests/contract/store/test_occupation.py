"""Who may work on one database, also when the server's connections break."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from services.operations.occupation import LOCK, Occupied, occupy


def address(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def break_connections(url: str) -> None:
    """Let the server end all sessions but the one that asks for it."""
    with psycopg.connect(address(url), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where pid <> pg_backend_pid() and backend_type = 'client backend'"
        )


@contextmanager
def older_version(url: str) -> Iterator[bool]:
    """A process that can't share the database, and whether it was let in."""
    with psycopg.connect(address(url), autocommit=True) as connection:
        row = connection.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        yield row is not None and bool(row[0])


def test_a_second_process_is_kept_off_a_file_until_the_first_has_ended(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bot.db'}"
    first = occupy(url)

    with pytest.raises(Occupied):
        occupy(url)
    first.end()

    occupy(url).end()


def test_processes_share_a_server_and_keep_an_older_version_out(postgres: str) -> None:
    first, second = occupy(postgres), occupy(postgres)
    first.end()

    with older_version(postgres) as was_let_in:
        assert not was_let_in
    second.end()


def test_an_older_version_keeps_others_out(postgres: str) -> None:
    with older_version(postgres), pytest.raises(Occupied):
        occupy(postgres)


def test_a_share_that_broke_with_its_connection_is_taken_again(postgres: str) -> None:
    first = occupy(postgres)
    break_connections(postgres)

    first.check()

    with older_version(postgres) as was_let_in:
        assert not was_let_in
    first.end()


def test_a_process_learns_that_an_older_version_took_the_database_meanwhile(postgres: str) -> None:
    first = occupy(postgres)
    break_connections(postgres)

    with older_version(postgres), pytest.raises(Occupied):
        first.check()
    first.end()
