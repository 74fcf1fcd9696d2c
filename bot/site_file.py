"""Changes of the site file that leave everything else in it as somebody wrote it, comments and order included.

The YAML library drops comments when it writes. So it only says where an entry begins and ends, and the lines are text.
"""

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import yaml

from bot import configuration
from bot.problems import Broken, Problem

INDENT = 2


def entry(name: str, values: Mapping[str, Any], remark: str, indent: int) -> list[str]:
    """The lines of a site in block style, without line ends; `remark` is a comment above its values."""
    text = yaml.safe_dump({name: dict(values)}, sort_keys=False, allow_unicode=True, width=110, indent=INDENT)
    first, *others = text.splitlines()
    return [" " * indent + line for line in (first, f"{' ' * INDENT}# {remark}", *others)]


def with_sites(path: Path, entries: Mapping[str, tuple[Mapping[str, Any], str]]) -> str:
    """The file's text with these entries (values and remark), each in the place of one of that name or at the end.

    Raises `Broken` for a file that can't be changed line by line, or would not be valid afterwards.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for name, (values, remark) in entries.items():
        text = _with_site(path, text, name, values, remark)
    with NamedTemporaryFile("w", encoding="utf-8", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        try:
            configuration.load_sites(Path(file.name))
        except Broken as error:
            problems = [
                Problem(problem.where.replace(file.name, str(path)), problem.what) for problem in error.problems
            ]
            raise Broken(problems) from None
    return text


def other_values(path: Path, names: Collection[str], keys: Collection[str]) -> dict[str, dict[str, Any]]:
    """What the sites of these names that the file has say under other keys than these, such as `acr.name`."""
    if not path.exists():
        return {}
    content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    sites = content.get("sites") or {}
    return {name: _without(keys, values) for name, values in sites.items() if name in names}


def _without(keys: Collection[str], values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    return {
        key: _without(keys, value, f"{above}{key}.") if isinstance(value, Mapping) else value
        for key, value in values.items()
        if f"{above}{key}" not in keys
    }


def merged(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Both, at every depth; where both have a key, the value of the first."""
    return {
        key: merged(values[key], others[key])
        if isinstance(values.get(key), Mapping) and isinstance(others.get(key), Mapping)
        else values.get(key, others.get(key))
        for key in {**values, **others}
    }


def write(path: Path, text: str) -> None:
    """Replace the file at once, so that a running bot never reads half of it; its mode stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(text)
    new = Path(file.name)
    if path.exists():
        shutil.copymode(path, new)
    else:
        new.chmod(0o644)
    new.replace(path)


def _with_site(path: Path, text: str, name: str, values: Mapping[str, Any], remark: str) -> str:
    lines = text.splitlines()
    sites = _sites(path, text)
    if sites is None:
        return "\n".join([*lines, "sites:", *entry(name, values, remark, INDENT), ""])
    first = sites.value[0][0].start_mark
    new = entry(name, values, remark, first.column)
    for key, value in sites.value:
        if key.value == name:
            lines[key.start_mark.line : _last_line(value) + 1] = new
            return "\n".join([*lines, ""])
    end = _last_line(sites.value[-1][1]) + 1
    is_spaced = len(sites.value) > 1 and not lines[sites.value[-1][0].start_mark.line - 1].strip()
    lines[end:end] = ["", *new] if is_spaced else new
    return "\n".join([*lines, ""])


def _sites(path: Path, text: str) -> yaml.MappingNode | None:
    """The mapping of sites; None where the file has none yet."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise Broken([Problem(str(path), f"this is not YAML: {getattr(error, 'problem', '')}")]) from None
    if root is None:
        return None
    sites = None
    if isinstance(root, yaml.MappingNode) and not root.flow_style:
        sites = next((value for key, value in root.value if key.value == "sites"), None)
    if not isinstance(sites, yaml.MappingNode) or sites.flow_style or not sites.value:
        text = "write `sites:` with each site in lines of its own below it; then one can be added"
        raise Broken([Problem(str(path), text)])
    return sites


def _last_line(node: yaml.Node) -> int:
    """The index of the line in which a value ends; comments behind it are not its own."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _last_line(node.value[-1])
    # A block scalar ends at the beginning of the line behind it.
    end = node.end_mark
    return int(end.line - 1 if end.column == 0 and end.line > node.start_mark.line else end.line)
