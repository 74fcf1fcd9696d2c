"""Text for Slack: escaped, cut to its limits, dated."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from handlers.kit.language import phrase, t


def escape(text: str) -> str:
    """Make text from outside safe inside mrkdwn: it can't mention or link anything."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis if something was cut off."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def code(text: str) -> str:
    """Text in code font; a backtick inside would end it, so it becomes an apostrophe."""
    return f"`{escape(text).replace('`', 'ʼ')}`" if text else ""  # noqa: RUF001 - looks alike, ends nothing


def bold(text: str) -> str:
    """Bold text."""
    return f"*{escape(text).replace('*', '∗')}*" if text else ""  # noqa: RUF001 - looks alike, ends nothing


def mention(person_id: str) -> str:
    """A person, whose name Slack fills in."""
    return f"<@{person_id}>"


def mention_of(entry: str) -> str:
    """A person or a user group by Slack id; a group's handle, which rings nowhere, as text."""
    if re.fullmatch(r"S[A-Z0-9]{3,}", entry):
        return f"<!subteam^{entry}>"
    return mention(entry) if re.fullmatch(r"[UW][A-Z0-9]{3,}", entry) else f"@{escape(entry)}"


def channel(channel_id: str) -> str:
    """A channel, whose name Slack fills in."""
    return f"<#{channel_id}>"


def date(moment: datetime, form: str = "{date_short_pretty} {time}") -> str:
    """A moment that Slack shows in each reader's time zone, or in UTC if it can't."""
    fallback = moment.strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(moment.timestamp())}^{form}|{fallback}>"


def duration(span: timedelta) -> str:
    """Such as `45 s`, `3 min`, `2 h 5 min`, `3 d 4 h`: the two largest units, whole."""
    seconds = max(0, int(span.total_seconds()))
    sizes = ((phrase("d"), 86400), (phrase("h"), 3600), (phrase("min"), 60), (phrase("s"), 1))
    parts: list[str] = []
    for unit, size in sizes:
        if seconds >= size and len(parts) < 2:  # noqa: PLR2004 - the two largest
            parts.append(t("{number} {unit}", number=seconds // size, unit=t(unit)))
            seconds %= size
        elif parts:
            break
    return " ".join(parts) or t("{number} {unit}", number=0, unit=t("s"))


def count(number: int, noun: str, plural: str = "") -> str:
    """Such as `1 step`, `2 steps`, `2 registries` (with that plural)."""
    noun = noun if number == 1 else plural or f"{noun}s"
    return t(f"{{number}} {noun}", number=number)


def labelled(label: str, text: str) -> str:
    """Such as `edge01 at berlin: online`."""
    return t("{label}: {text}", label=label, text=text)


def listed(items: Iterable[str], last: str = "") -> str:
    """Such as `a, b and c`."""
    texts = list(items)
    if len(texts) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(texts)
    return t("{items} {last} {item}", items=t(", ").join(texts[:-1]), last=last or t("and"), item=texts[-1])
