"""What people read of images at the edge: why there was no answer, and where one image is."""

from datetime import UTC, datetime

import pytest
from inline_snapshot import snapshot

from handlers.kit.message import Message
from handlers.views.images import Contents, Edge, Repository, Whereabouts, card, silence, whereabouts
from services.model.azure import AcrRef, ConnectedRegistry
from services.model.contents import CloudTag, EdgeContents, EdgeSilence, EdgeTag
from services.model.errors import NoAccess
from services.policy.arrival import arrivals
from services.policy.sites import Site


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (EdgeSilence("NoReader", "the pull secret is not there"), "nothing else may read them at the edge: the pull"),
        (EdgeSilence("NoPlace"), "At no site that you may see"),
        (EdgeSilence("NoAddress"), "`edge01` has no address"),
        (EdgeSilence("Refused", "HTTP 401"), "refuses the client token of the workload: HTTP 401. It takes"),
        (EdgeSilence("Unreachable", "timed out"), "In its own cluster `edge01` did not answer: timed out."),
        (EdgeSilence("NoProgram", "exceeded quota"), "The Job that asks it did not run: exceeded quota. Its image"),
        (EdgeSilence("Unreadable"), "What `edge01` answered can't be read."),
        (EdgeSilence("NotAsked", error=NoAccess("kubernetes", "oslo")), "oslo"),
    ],
)
def test_each_silence_says_where_it_comes_from(answer: EdgeSilence, words: str) -> None:
    assert words in silence(answer, "edge01", "/registry")


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({}, "Neither the cloud nor *edge01* at *berlin* has a tag of `app`."),
        (EdgeSilence("Unreachable"), "The cloud has no tag of `app`. What *edge01* at *berlin* has is not known."),
    ],
)
def test_a_repository_that_the_cloud_lacks_is_empty_only_where_the_edge_says_so(
    contents: EdgeContents, words: str
) -> None:
    edge01 = edge(1, {}, changed=NOW).registry
    compared = Contents(edge01, BERLIN, (Repository("app", (), contents),))

    assert texts(card(compared, NOW))[0] == words


# --- where ------------------------------------------------------------------------------------------------------------

NEW, OLD = (f"sha256:{word * 32}" for word in ("ab", "0d"))
ACR = AcrRef("s", "g", "contosoacr")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
BERLIN = Site.model_validate(
    {
        "name": "berlin",
        "environment": "development",
        "subscription": "22222222-2222-4222-8222-222222222222",
        "resource_group": "edge-rg",
        "acr": {"name": "contosoacr"},
        "cluster": {"name": "berlin-arc"},
    }
)


def edge(number: int, contents: EdgeContents, *, changed: datetime) -> Edge:
    """An edge that syncs each night at ten past three, and has done so."""
    registry = ConnectedRegistry(
        id=f"edge{number:02}",
        name=f"edge{number:02}",
        mode="ReadOnly",
        connection_state="Online",
        activation="Active",
        provisioning_state="Succeeded",
        token_id="",
        schedule="10 3 * * *",
        window=None,
        message_ttl=None,
        last_sync=datetime(2026, 11, 30, 3, 30, tzinfo=UTC),
    )
    (arrival,) = arrivals({"v1": CloudTag(NEW, changed)}, contents, registry, NOW)
    return Edge(registry, ACR, BERLIN, contents, arrival)


def texts(message: Message) -> list[str]:
    """The sections, and the rows of the table without their first."""
    sections = [block["text"]["text"] for block in message.blocks if block["type"] == "section"]
    rows = [row for block in message.blocks if block["type"] == "table" for row in block["rows"][1:]]
    return sections + [" | ".join(cell["text"] for cell in row) for row in rows]


def test_edges_that_could_not_be_asked_are_not_said_to_be_without_the_image() -> None:
    silent = tuple(edge(number, EdgeSilence("NoReader"), changed=NOW) for number in range(2))
    message = whereabouts(Whereabouts("app:v1", {"contosoacr": NEW}, silent), NOW)

    assert texts(message)[0] == ":warning:  2 edges should have `app:v1`, and none could be asked."
    assert message.text == "app:v1: 0 of 2 edges, 2 could not be asked"


def test_of_forty_edges_exactly_those_that_have_the_digest_are_counted() -> None:
    today, yesterday = datetime(2026, 11, 30, 11, tzinfo=UTC), datetime(2026, 11, 29, tzinfo=UTC)
    there = [edge(number, {"v1": EdgeTag(NEW)}, changed=yesterday) for number in range(33)]
    due = [edge(number, {"v1": EdgeTag(OLD)}, changed=today) for number in (33, 34)]
    late = [edge(35, {}, changed=yesterday)]
    moved = [edge(36, {"v1": EdgeTag(OLD)}, changed=yesterday)]
    partial = [edge(37, {"v1": EdgeTag(NEW, (OLD,))}, changed=yesterday)]
    silent = [edge(number, EdgeSilence("NoReader"), changed=yesterday) for number in (38, 39)]
    edges = (*silent, *there, *partial, *moved, *late, *due)

    lines = texts(whereabouts(Whereabouts("app:v1", {"contosoacr": NEW}, edges), NOW))
    assert lines[0] == snapshot(
        ":warning:  33 of 40 edges have `app:v1` with `sha256:abababababab`; 2 due, 1 incomplete, 1 different, 1 late and 2 could not be asked."
    )
    assert lines[1:3] == snapshot(
        [
            "Due <!date^1796094600^{date_short_pretty} {time}|2026-12-01 03:10 UTC> at `edge33` (berlin) and `edge34` (berlin).",
            "Could not be asked: `edge38` (berlin) and `edge39` (berlin). No workload of the bot pulls from there, and nothing else may read them at the edge.",
        ]
    )
    assert lines[3:] == snapshot(
        [
            "edge38 | berlin | contosoacr | could not be asked | sha256:abababababab | unknown",
            "edge39 | berlin | contosoacr | could not be asked | sha256:abababababab | unknown",
            "edge35 | berlin | contosoacr | late: it should be there by now | sha256:abababababab | none",
            "edge36 | berlin | contosoacr | different: it should be the same by now | sha256:abababababab | sha256:0d0d0d0d0d0d",
            "edge37 | berlin | contosoacr | incomplete: 1 manifest of its index missing | sha256:abababababab | sha256:abababababab",
            "edge33 | berlin | contosoacr | due 2026-12-01 03:10 UTC | sha256:abababababab | sha256:0d0d0d0d0d0d",
            "edge34 | berlin | contosoacr | due 2026-12-01 03:10 UTC | sha256:abababababab | sha256:0d0d0d0d0d0d",
        ]
    )


def test_an_image_that_no_cloud_registry_has_is_nowhere() -> None:
    nowhere = whereabouts(Whereabouts("app:v1", {"contosoacr": ""}, ()), NOW)

    assert texts(nowhere) == snapshot([":warning:  No cloud registry has `app:v1`.", "`contosoacr` has no `app:v1`."])
