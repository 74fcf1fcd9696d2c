"""Each test has a world of its own.

A test runs on SQLite; one with the marker `everywhere` also on PostgreSQL and in three replicas there, and one with the
marker `only_on` in the places that it names. `--on=PLACE` runs all that can run there (`make flows`).
"""

import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from bench.postgres import NoServerError, server
from sandbox.controlplane.part import RealKubePart
from tests.flows.conversation import POLICY, Conversation, conversation
from tests.flows.hosting import CURRENT, PLACES, Hosting, Place


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the conversations take place."""
    parser.addoption("--on", choices=PLACES, help="where all conversations take place")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", "everywhere: the test runs on SQLite, on PostgreSQL and in three replicas")
    config.addinivalue_line("markers", "only_on(*places): the test runs in these places alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test once for each place."""
    everywhere, only = (metafunc.definition.get_closest_marker(name) for name in ("everywhere", "only_on"))
    places: Sequence[Place] = only.args if only else PLACES if everywhere else PLACES[:1]
    if chosen := metafunc.config.getoption("--on", default=None):
        places = [chosen]
    if len(places) > 1 or places[0] != PLACES[0]:
        metafunc.parametrize("hosting", places, indirect=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[tuple[str, Path]]:
    """A server's address and folder; where there is none, tests that need one are skipped and say why."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        try:
            with server(Path(folder)) as url:
                yield url, Path(folder)
        except NoServerError as missing:
            pytest.skip(str(missing))


@pytest.fixture(autouse=True)
def hosting(request: pytest.FixtureRequest) -> Hosting:
    """Where the conversations of this test take place."""
    place: Place = getattr(request, "param", PLACES[0])
    only = request.node.get_closest_marker("only_on")
    if only and place not in only.args:
        pytest.skip(f"only on {', '.join(only.args)}")
    CURRENT[0] = Hosting(place, "" if place == "sqlite" else request.getfixturevalue("postgres")[0])
    return CURRENT[0]


@pytest.fixture
async def registry(tmp_path: Path, clusters: RealKubePart | None) -> AsyncIterator[Conversation]:
    """The bot in the default world."""
    async with conversation(tmp_path, clusters=clusters) as talk:
        yield talk


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Conversation]:
    """A channel that people of another workspace read, where the policy lets the bot speak."""
    policy = POLICY | {
        "shared_channels": True,
        "grants": [*POLICY["grants"], {"name": "alice", "roles": ["approver"], "to": ["alice"]}],
        "approvals": [POLICY["approvals"][0] | {"approvers": ["alice"], "self_approval": True}],
    }
    async with conversation(tmp_path, policy=policy) as talk:
        talk.channel, talk.people = "shared-fabrikam", ("alice", "eve")
        yield talk


@pytest.fixture
async def careful(tmp_path: Path) -> AsyncIterator[Conversation]:
    """A policy that wants two approvals, of anybody but the requester."""
    rule = POLICY["approvals"][0] | {"name": "two of us", "approvers": ["edge-approvers", "dave"], "count": 2}
    people = POLICY["people"] | {"dave": "U0DAVE"}
    grants = [*POLICY["grants"], {"name": "dave decides", "roles": ["approver"], "to": ["dave"]}]
    async with conversation(
        tmp_path, policy=POLICY | {"people": people, "grants": grants, "approvals": [rule]}
    ) as talk:
        yield talk
