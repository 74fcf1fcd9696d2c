"""One bot on one database, also when the server's connections break."""

import psycopg
import pytest
from sqlalchemy import make_url

from services.operations.occupation import Occupied, occupy


def break_connections(url: str) -> None:
    """Let the server end all sessions but the one that asks for it."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where pid <> pg_backend_pid() and backend_type = 'client backend'"
        )


def test_a_second_process_is_refused_until_the_first_has_ended(url: str) -> None:
    first = occupy(url)

    with pytest.raises(Occupied):
        occupy(url)
    first.end()

    occupy(url).end()


def test_a_lock_that_broke_with_its_connection_is_taken_again(postgres: str) -> None:
    first = occupy(postgres)
    break_connections(postgres)

    first.check()

    with pytest.raises(Occupied):
        occupy(postgres)
    first.end()


def test_a_process_learns_that_another_one_took_its_lock_meanwhile(postgres: str) -> None:
    first = occupy(postgres)
    break_connections(postgres)
    second = occupy(postgres)

    with pytest.raises(Occupied):
        first.check()
    second.end()
    first.end()
