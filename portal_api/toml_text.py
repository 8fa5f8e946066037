"""A tree of plain values as TOML 1.0, which `tomllib` reads back the same.

Texts, truth values, whole numbers, lists of texts, tables, and lists of tables: what agreements
are made of.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_server.model import json


def written(tree: Mapping[str, Any]) -> str:
    """Return *tree* as TOML. Raises TypeError for a value of another kind."""
    return "".join(f"{line}\n" for line in _lines(tree, ""))


def _lines(tree: Mapping[str, Any], path: str) -> Iterator[str]:
    later = []
    for name, value in tree.items():
        if isinstance(value, Mapping) or _is_tables(value):
            later.append((f"{path}{_key(name)}", value))
        else:
            yield f"{_key(name)} = {_value(value)}"
    for place, value in later:
        for table in [value] if isinstance(value, Mapping) else value:
            yield ""
            yield f"[{place}]" if isinstance(value, Mapping) else f"[[{place}]]"
            yield from _lines(table, f"{place}.")


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else _text(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    raise TypeError(type(value).__name__)


def _text(text: str) -> str:
    # A basic string of TOML is a string of JSON, but for the DEL that TOML wants escaped.
    return json.encode(text).decode().replace("\x7f", "\\u007f")
