"""What an answer to a Bundle says, read from its bytes: as a code of HL7 v2, and as HTTP has it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from fhir_server.errors import Invalid
from fhir_server.model import json

Tree = dict[str, Any]

_CODES: Mapping[str, Literal["AA", "AE"]] = MappingProxyType({"ok": "AA"})
_STATUS: Mapping[str, int] = MappingProxyType({"structure": 400, "duplicate": 409})
_TRANSIENT = 503
_UNPROCESSABLE = 422


def code_of(answer: bytes) -> str:
    """Return AA where *answer* says that the Bundle was taken, else AE; "" for no answer to one."""
    tree = _read(answer)
    if tree.get("resourceType") == "OperationOutcome":
        return "AE"
    if tree.get("resourceType") != "Bundle":
        return ""
    response = _response(tree)
    return "AA" if response is None else _CODES.get(response["code"], "AE")


def status_of(answer: bytes) -> int:
    """Return the HTTP status with which *answer* goes out.

    A message that was read is answered by a message, with 200 whatever it says, but for one that
    is to be sent again. https://hl7.org/fhir/R4/messaging.html, https://hl7.org/fhir/R4/http.html
    """
    tree = _read(answer)
    if tree.get("resourceType") == "OperationOutcome":
        code = tree["issue"][0]["code"]
        return _TRANSIENT if code == "transient" else _STATUS.get(code, _UNPROCESSABLE)
    response = _response(tree)
    return _TRANSIENT if response is not None and response["code"] == "transient-error" else 200


def _read(answer: bytes) -> Tree:
    try:
        tree = json.reread(answer) if answer[:1] == b"{" else {}
    except Invalid:
        return {}
    return tree if isinstance(tree, dict) else {}


def _response(tree: Tree) -> Tree | None:
    """Return MessageHeader.response of a message; None for an answer of another kind."""
    header = tree["entry"][0].get("resource", {}) if tree.get("type") == "message" else {}
    response: Tree | None = header.get("response")
    return response
