"""A store on SQLite and on PostgreSQL, empty for each test."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.postgres import NoServerError, server
from services.model.codec import Codec
from services.operations.procedures import PROCEDURES
from services.store import Store, open_store


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server for all tests; where there is none, they are skipped and say why."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        try:
            with server(Path(folder)) as url:
                yield url
        except NoServerError as missing:
            pytest.skip(str(missing))


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Of an empty database; PostgreSQL's tables are dropped afterwards."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bot.db'}"
        return
    async with emptied(request.getfixturevalue("postgres")) as address:
        yield address


@asynccontextmanager
async def emptied(url: str) -> AsyncIterator[str]:
    """The same address; what was made there is dropped afterwards."""
    yield url
    engine = create_async_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """The store on it."""
    opened = await open_store(url, Codec(PROCEDURES.values))
    yield opened
    await opened.close()
