"""Files of audit rows that have left the database: together with it they are one chain."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from handlers.kit.text import count
from services.model.audit import ChainEnd, ChainPart, ExportedRow, exported_row

FILES = "audit-*.jsonl"
"""Named by their first and last row, in ten digits, so that their names sort as their rows do."""


@dataclass(frozen=True)
class Verdict:
    """One sentence on the archive."""

    sentence: str
    broken: bool = False


def write(part: ChainPart, folder: Path) -> Path:
    """Write a file that is there whole or not at all, also after a crash of the machine. Blocks; raises `OSError`.

    A process that is killed before it cuts the chain leaves a file that the next one writes again, with the same lines.
    """
    path = folder / f"audit-{part.start.number + 1:010}-{part.end.number:010}.jsonl"
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    with unfinished.open("w", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in part.lines)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return path


def verify(folder: Path, start: ChainEnd) -> Verdict:
    """Check all rows of the archive, and that the database goes on where they end. Blocks; raises `OSError`."""
    first: ExportedRow | None = None
    end = ChainEnd()
    for place, row in _rows(folder):
        if row is None or not row.intact:
            return Verdict(f"The archive is broken: {place} is not as it was written.", broken=True)
        if row.number == start.number and row.hash != start.hash:
            follows = f"the database goes on behind that row with the hash {start.hash}"
            return Verdict(
                f"The archive is broken: its row {row.number} has the hash {row.hash}, and {follows}.", broken=True
            )
        if first is not None and row.number <= end.number:
            continue  # a file that was written again, after a process was killed or beside another one
        if first is not None and (row.number, row.previous) != (end.number + 1, end.hash):
            return Verdict(f"The archive is broken: {place} does not follow row {end.number}.", broken=True)
        first, end = first or row, ChainEnd(row.number, row.hash)
    if first is None:
        lack = f": it lacks the {count(start.number, 'row')} before those in the database" if start.number else ""
        return Verdict(f"The archive is empty{lack}.", broken=bool(lack))
    rows = count(end.number - first.number + 1, "row")
    # It may reach further than that, after a process was killed between writing a file and cutting the chain.
    if end.number < start.number:
        missing = f"it ends with row {end.number}, and the database goes on behind row {start.number}"
        return Verdict(f"The archive is broken: {missing}.", broken=True)
    before = f" Rows before {first.number} are elsewhere." if first.number > 1 else ""
    return Verdict(f"The archive is intact: {rows}, from {first.number} to {end.number}.{before}")


def _rows(folder: Path) -> Iterator[tuple[str, ExportedRow | None]]:
    """Each line with its place in the archive; None for a line that is no row."""
    for path in sorted(folder.glob(FILES)):
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, text in enumerate(file, 1):
                try:
                    row = exported_row(text.removesuffix("\n"))
                except ValueError:
                    row = None
                yield f"line {number} of {path.name}", row
