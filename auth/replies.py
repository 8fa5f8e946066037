"""What an application is answered: JSON, or an address to which the browser is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

NO_STORE = MappingProxyType({"Cache-Control": "no-store", "Pragma": "no-cache"})
_INVALID_CLIENT = "The application could not be authenticated."


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a JSON *body*, or a *location* to which the browser is sent; errors name both."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    location: str = ""
    why: str = ""
    """For the ledger alone: what the answer does not tell a stranger."""

    @property
    def reason(self) -> str:
        """What the ledger says of a refusal."""
        return f"{self.error}: {self.why}" if self.why else self.error

    @property
    def error(self) -> str:
        """The OAuth error code, empty where all went well."""
        return str(self.body.get("error", ""))


def refused(error: str, text: str, status: int = 400) -> Reply:
    """Return an OAuth error answer. RFC 6749 section 5.2."""
    return Reply(status, {"error": error, "error_description": text}, NO_STORE)


def unproven(status: int, why: str) -> Reply:
    """One text for every reason, so that nobody learns which applications there are."""
    headers = dict(NO_STORE)
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="portal"'
    body = {"error": "invalid_client", "error_description": _INVALID_CLIENT}
    return Reply(status, body, headers, why=why)
