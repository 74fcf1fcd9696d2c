"""`python -m bench [NAME ...] [--on PLACE]`: measure, and print one table."""

import argparse
import asyncio
import os
import platform
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

from bench import BENCHMARKS, LOADS
from bench.places import PLACES
from bench.report import Row, table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line names; the exit code is 1 when a benchmark could not be run to its end."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the bot against the sandbox.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument(
        "--on", choices=PLACES, help=f"where {', '.join(sorted(LOADS))} measure; otherwise in each place"
    )
    chosen = parser.parse_args(arguments)
    names, places = chosen.names or list(BENCHMARKS), [chosen.on] if chosen.on else list(PLACES)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    began, rows, broken = time.monotonic(), list[Row](), False
    runs = [(name, place) for name in names for place in (places if name in LOADS else [""])]
    for benchmark, place in runs:
        sys.stderr.write(f"{benchmark}{place and f' on {place}'}: {BENCHMARKS[benchmark]} …\n")
        try:
            rows += _measured(benchmark, place)
        except Exception:  # noqa: BLE001 - the others' figures are not lost with it
            traceback.print_exc()
            broken = True
    sys.stdout.write(f"{table(rows)}\n\n{_circumstances(time.monotonic() - began)}\n")
    return 1 if broken else 0


def _measured(name: str, place: str) -> Sequence[Row]:
    """The figures of one benchmark; those of a load name the place, and how busy the machine was."""
    measure, began = import_module(f"bench.{name}").measure, time.monotonic()
    if not place:
        rows: Sequence[Row] = asyncio.run(measure())
        return rows
    rows = asyncio.run(measure(place))
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    circumstances = Row(f"{name}: took; load averages at its end", f"{time.monotonic() - began:.0f} s; {load}")
    return [replace(row, what=f"{row.what} ({PLACES[place]})") for row in (*rows, circumstances)]


def _circumstances(took: float) -> str:
    """What the figures depend on."""
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{system}; load average at the end {os.getloadavg()[0]:.1f}; took {took:.0f} s."


if __name__ == "__main__":
    sys.exit(main())
