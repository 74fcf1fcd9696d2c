"""`python -m bot audit`: the audit as the configured database has it, read beside a running bot."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TextIO

from bot import audit_archive, start
from bot.problems import Broken
from bot.settings import Settings
from handlers.kit.text import count
from services.model.audit import AuditSelection, ChainBreak, ChainReport
from services.ports import Audit
from services.store import read_audit

_BREAKS = {
    "content": "row {number} is not as it was written",
    "link": "row {number} does not follow the row before it, so rows between them are missing or were written again",
    "end": "row {number} was not written by the bot, or should be there and is missing",
}


async def verify(settings: Settings, out: TextIO) -> int:
    """Print one line about the archive, where there is one, and one about the database's part of the chain.

    0 when both hold and fit together, 1 when the chain is broken. Raises `Broken`.
    """
    async with _audit(settings) as audit:
        report = await audit.verify()
        sentences, is_broken = [_sentence(report)], report.broken is not None
        if settings.audit_archive is not None:
            archive = await asyncio.to_thread(audit_archive.verify, settings.audit_archive, report.start)
            sentences, is_broken = [archive.sentence, *sentences], is_broken or archive.broken
    out.writelines(f"{sentence}\n" for sentence in sentences)
    return 1 if is_broken else 0


async def export(settings: Settings, selection: AuditSelection, out: TextIO) -> int:
    """Print a selection as JSON Lines; 0. Raises `Broken`."""
    async with _audit(settings) as audit:
        try:
            async for line in audit.lines(selection):
                out.write(line + "\n")
            out.flush()
        except BrokenPipeError:
            # Whoever reads has read enough; what is left in the buffer must not raise again at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
    return 0


@asynccontextmanager
async def _audit(settings: Settings) -> AsyncIterator[Audit]:
    try:
        async with read_audit(start.address(settings)) as audit:
            yield audit
    except Exception as error:
        raise Broken([start.problem(error, settings)]) from error


def _sentence(report: ChainReport) -> str:
    match report.broken:
        case ChainBreak(number, reason):
            before = f"; {count(report.rows, 'row')} before it {'is' if report.rows == 1 else 'are'} intact"
            return f"The audit is broken: {_BREAKS[reason].format(number=number)}{before if report.rows else ''}."
    behind = f" behind row {report.start.number}" if report.start.number else ""
    last = f", the last one {report.number} with the hash {report.hash}" if report.rows else ""
    return f"The audit is intact: {count(report.rows, 'row')}{behind}{last}."
