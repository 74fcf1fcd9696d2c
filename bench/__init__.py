"""Measurements against the immediate sandbox: the bot and the sandbox each in a process of its own, over real sockets.

`python -m bench [NAME ...]` runs all or some of them and prints one table. A benchmark is a module of this package with
a coroutine function `measure() -> Sequence[Row]`; it is known by its name here. The `LOADS` take one of
`bench.places.PLACES`, so that `python -m bench --on PLACE` puts the same load on one process and on three replicas.
"""

BENCHMARKS: dict[str, str] = {
    "ack": "acknowledgement of a slash command, alone and 100 at once",
    "start": "process start to ready, and a kill in the middle of a deployment",
    "replicas": "three replicas on PostgreSQL: from the end of one to the run in another",
    "chaos": "sixty operations on three replicas of which one after the other ends",
    "deploy": "a whole deployment beside the same requests with nothing around them",
    "load": "500 and 1,000 operations over 200 sites",
    "rate": "commands a second of which 99 in 100 are answered within a second",
    "stock": "5,000 waiting and 50,000 finished operations in the database",
    "polling": "10,000 connected registries in 200 cloud registries, polled each minute",
    "memory": "idle, and with 1,000 operations waiting for approval",
    "where": "where an image is, over 250, 500 and 1,000 edges of which some are stale, different, incomplete or away",
    "rotation": "new passwords for 50 edges that go on syncing and serving, by a bot that is killed again and again",
    "redaction": "taking secrets out of hostile texts, short and long",
    "fleet": "alerts against the truth over a month of 1,000 connected registries, and a polling cycle over them",
    "placements": "the first list of 1,000 connected registries: at which cluster each of them runs",
}
"""By module: what it measures. They run in this order."""

LOADS = frozenset({"load", "rate", "stock", "polling"})
"""Those that measure in a place."""
