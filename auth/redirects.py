"""Where an application may be answered: which addresses can be registered, and which match. Pure.

RFC 6749 section 3.1.2, RFC 8252 section 7 (native applications), RFC 9700 section 4.1. An address
matches when it is the registered one, character by character. The one exception is a port on the
loopback interface, which a native application gets from its system and can't know before.
"""

import re
from urllib.parse import urlsplit

LIMIT = 2048
"""Characters of an address that are looked at."""

_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]+")
_LOOPBACK = re.compile(
    r"http://(?P<host>127\.0\.0\.1|\[::1\]|localhost)(?::(?P<port>[0-9]{1,5}))?(?P<rest>/[^#]*)?"
)
_HTTPS = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?(/[^#]*)?")
_PRIVATE = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/[^#]*")
_HIGHEST_PORT = 65535


def fault(address: str) -> str:
    """Return why *address* can't be registered, as a sentence; empty where it can.

    Registered may be: `https://` with a host name in lower case; `http://` on the loopback
    interface; a private scheme with a dot in it (`uk.nhs.example:/signed-in`).
    """
    if len(address) > LIMIT or not _PLAIN.fullmatch(address):
        return "A redirect address is plain ASCII, without spaces, quotes or backslashes."
    if "#" in address or "@" in urlsplit(address).netloc or "*" in address:
        return "A redirect address has no fragment, no user name and no wildcard."
    if any(part in {".", ".."} for part in urlsplit(address).path.split("/")):
        return "A redirect address has no dots to be resolved in its path."
    if not any(form.fullmatch(address) for form in (_HTTPS, _LOOPBACK, _PRIVATE)):
        return (
            "A redirect address starts with https://, with http:// on the loopback interface, "
            "or with a private scheme that has a dot in it."
        )
    return ""


def matches(registered: str, asked: str) -> bool:
    """Tell whether *asked* is the *registered* address; on loopback, whatever its port."""
    if asked == registered:
        return True
    mine, theirs = _LOOPBACK.fullmatch(registered), _LOOPBACK.fullmatch(asked)
    if mine is None or theirs is None:
        return False
    port = int(theirs["port"] or 0)
    return (mine["host"], mine["rest"]) == (theirs["host"], theirs["rest"]) and (
        port <= _HIGHEST_PORT
    )


def shown(address: str) -> str:
    """Return what a person should be told of *address*: its host, or its scheme."""
    parts = urlsplit(address)
    return parts.netloc or f"{parts.scheme}:"


def form_target(address: str) -> str:
    """Return the source expression under which a page's form may lead to *address* in the end.

    https://www.w3.org/TR/CSP3/#source-lists: host sources know no IPv6 and no private schemes
    with a path, so that these are allowed by their scheme.
    """
    parts = urlsplit(address)
    if not parts.netloc or "[" in parts.netloc:
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{parts.netloc}"
