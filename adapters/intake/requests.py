"""Which ServiceRequest an order is: the one that its order message made, or its result.

An order is known by the laboratory's number or by the ward's: an order message often comes before
the laboratory gave a number, and a result may name both. Source: HL7 v2.8 chapter 4, 4.5.1.2 and
4.5.1.3 (ORC-2, ORC-3).
"""

from collections.abc import Mapping
from typing import Any, Protocol

from adapters.hl7v2.conversion import Key, Made, resolve
from fhir_server.model import json
from fhir_server.model.ids import bucket_of, derived_id
from fhir_server.model.validate import judge
from fhir_server.record import Stored, Writer

Tree = dict[str, Any]

_FILLER_AT = 2
_OWN = frozenset({"versionId", "lastUpdated"})


class Requested(Protocol):
    """What an order message and a result say alike of a request."""

    @property
    def service_request(self) -> Made:
        """The request and its key: (type, sender, kind of number, number, test …)."""

    @property
    def placer_number(self) -> str:
        """The ward's number; may be empty."""


def request_id(writer: Writer, group: Requested, patient: str) -> str:
    """Return the id of the request: the one that is filed, by either number, else a new one."""
    ids = [_id(writer, key, patient) for key in _keys(group)]
    writer.look_up("ServiceRequest", ids)
    known = (id_ for id_ in ids if writer.current("ServiceRequest", id_) is not None)
    return next(known, ids[0])


def request_after_result(
    writer: Writer, one: Made, ids: Mapping[Key, str], *, held: bool
) -> Tree | None:
    """Return the request as a result leaves it, judged; None where it has to stay as it is.

    What the result does not repeat of the order stays. A request that the patient can see stays as
    it is while the result is held: it would tell that there is one.
    """
    before = writer.current("ServiceRequest", ids[one.key])
    tree = resolve(one.tree, ids)
    if before is None:
        return judge(tree)
    if held and _is_open(before, writer.now):
        return None
    return judge(content_of_request(before) | tree)


def content_of_request(stored: Stored) -> Tree:
    """Return the content of a stored request: all but what the server writes itself."""
    tree: Tree = json.decode(stored.body)
    meta = {name: part for name, part in tree.pop("meta", {}).items() if name not in _OWN}
    del tree["id"]
    return tree | ({"meta": meta} if meta else {})


def is_answered(tree: Tree) -> bool:
    """Tell whether a result completed the request: no order message takes it back to active."""
    return bool(tree["status"] == "completed")


def _is_open(stored: Stored, now: int) -> bool:
    return stored.release_at is not None and stored.release_at <= now


def _keys(group: Requested) -> list[Key]:
    key = group.service_request.key
    if key[_FILLER_AT] != "FILL" or not group.placer_number:
        return [key]
    by_placer = (*key[:_FILLER_AT], "PLAC", group.placer_number, *key[_FILLER_AT + 2 :])
    return [key, by_placer]


def _id(writer: Writer, key: Key, patient: str) -> str:
    return derived_id(writer.id_key, *key, bucket=bucket_of(patient))
