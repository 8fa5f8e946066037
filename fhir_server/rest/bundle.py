"""Bundles put together from stored bytes, which are spliced in and never read again.

https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fhir_server.clock import from_micros, instant_text
from fhir_server.model import json
from fhir_server.record import Stored


def bundle(
    kind: str,
    entries: Iterable[bytes],
    *,
    links: Sequence[tuple[str, str]],
    total: int | None,
    as_of: int,
) -> bytes:
    """Return a Bundle of *kind*, as of an instant (microseconds) that the answer stands for."""
    head: dict[str, Any] = {
        "resourceType": "Bundle",
        "meta": {"lastUpdated": instant_text(from_micros(as_of))},
        "type": kind,
    }
    if total is not None:
        head["total"] = total
    head["link"] = [{"relation": relation, "url": url} for relation, url in links]
    text = json.encode(head)
    joined = b",".join(entries)
    return text[:-1] + (b',"entry":[' + joined + b"]}" if joined else b"}")


def entry(base: str, stored: Stored, beside: Mapping[str, Any]) -> bytes:
    """Return one entry: the full address, the stored bytes, and what stands *beside* them."""
    head = json.encode({"fullUrl": f"{base}/{stored.reference}"})
    tail = json.encode(beside)
    return head[:-1] + b',"resource":' + stored.body + b"," + tail[1:]
