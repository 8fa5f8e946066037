"""The key sets that applications publish: fetched from the registered address, kept for a while.

RFC 7517; https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html. A set is kept
no longer than its Cache-Control says, and for an hour at most: a key that its owner takes out ends
with it. A name that is not in it is looked for once more, now and then. What is fetched is
bounded, in bytes and in time; nobody is followed to another address, nor into a network that only
this machine can reach.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from auth import public_keys
from auth.public_keys import PublicKey
from auth.throttle import Throttle
from fhir_server.errors import Invalid

USUAL: Final = 300.0
LONGEST: Final = 3600.0
"""Seconds for which a set is kept: where its Cache-Control says nothing, and at most."""
DEADLINE: Final = 5.0
"""Seconds in which a set has to be here."""

_ADDRESS_LIMIT = 2048
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=\"?([0-9]{1,9})", re.IGNORECASE)
_NEVER = re.compile(r"\bno-(?:store|cache)\b", re.IGNORECASE)
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""Where IPv6 leads to any IPv4 address (RFC 6052)."""

Address = IPv4Address | IPv6Address


class NotFetched(Exception):
    """A key set that can't be had; the text, for the ledger alone, says why."""


@dataclass(frozen=True, slots=True)
class _Kept:
    keys: tuple[PublicKey, ...]
    until: float


class KeySets:
    """The sets that one process keeps.

    *loopback*: in a demonstration they may stand on this machine.
    """

    def __init__(
        self, *, loopback: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.loopback, self._monotonic = loopback, monotonic
        self._kept: dict[str, _Kept] = {}
        self._fetching: dict[str, asyncio.Task[_Kept]] = {}
        self._renewals = Throttle(limit=30, seconds=60)
        self._unknown = Throttle(limit=2, seconds=60)

    async def of(self, address: str, kid: str) -> tuple[PublicKey, ...]:
        """Return the keys that stand at *address*, fetched anew where *kid* is none that is kept.

        Raises NotFetched.
        """
        kept = self._kept.get(address)
        if kept is None or kept.until <= self._monotonic():
            return (await self._fetched(address, self._renewals)).keys
        if any(key.kid == kid for key in kept.keys):
            return kept.keys
        return (await self._fetched(address, self._unknown)).keys

    async def _fetched(self, address: str, throttle: Throttle) -> _Kept:
        """Fetch the set; those who ask while it is on its way wait for the same one."""
        task = self._fetching.get(address)
        if task is None or task.done():
            if throttle.wait(address):
                raise NotFetched("its key set was fetched too often, or the key is not in it")
            task = asyncio.create_task(self._renewed(address))
            self._fetching[address] = task
        return await asyncio.shield(task)

    async def _renewed(self, address: str) -> _Kept:
        began = self._monotonic()
        try:
            async with asyncio.timeout(DEADLINE):
                content, life = await _fetch(address, loopback=self.loopback)
            kept = _Kept(public_keys.usable(content), began + life)
        except (TimeoutError, OSError, ValueError, httpx.HTTPError):
            raise NotFetched("its key set can't be fetched") from None
        except Invalid:
            raise NotFetched("its key set can't be read") from None
        self._kept[address] = kept
        return kept


def fault(address: str, *, loopback: bool) -> str:
    """Return why key sets can't be fetched from *address*, as a sentence; empty where they can."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return "The address of a key set is no URL."
    plain = address.isascii() and address.isprintable() and " " not in address
    host = parts.netloc.rpartition("@")[2].rpartition(f":{port}")[0] if port else parts.netloc
    if not plain or len(address) > _ADDRESS_LIMIT or not _HOST.fullmatch(host):
        return "The address of a key set is https://, a host in lower case, and a path."
    if parts.username is not None or parts.fragment or port == 0:
        return "The address of a key set has no user name and no fragment."
    at_home = loopback and parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if parts.scheme != "https" and not (at_home and parts.scheme == "http"):
        return "The address of a key set begins with https://."
    return ""


async def _fetch(address: str, *, loopback: bool) -> tuple[bytes, float]:
    """Return what stands at *address*, and for how many seconds it may be kept.

    The name is looked up once, here, and the connection goes to what was found and judged.
    """
    if fault(address, loopback=loopback):
        raise NotFetched("its key set has an address from which nothing is fetched")
    parts = urlsplit(address)
    target, headers, extensions = await _pinned(parts, loopback=loopback)
    context = await asyncio.to_thread(ssl.create_default_context)
    async with (
        httpx.AsyncClient(
            verify=context, trust_env=False, follow_redirects=False, timeout=DEADLINE
        ) as client,
        client.stream("GET", target, headers=headers, extensions=extensions) as answer,
    ):
        if answer.status_code != 200 or "content-encoding" in answer.headers:
            raise NotFetched("its key set is not there")
        content = bytearray()
        async for chunk in answer.aiter_raw():
            content += chunk
            if len(content) > public_keys.LIMIT:
                raise NotFetched("its key set is too large")
        return bytes(content), _life(answer.headers.get("cache-control", ""))


async def _pinned(
    parts: SplitResult, *, loopback: bool
) -> tuple[str, dict[str, str], dict[str, str]]:
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(host, port)
    addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not addresses or not all(_may_be_asked(one, loopback=loopback) for one in addresses):
        raise NotFetched("its key set is in a network from which nothing is fetched")
    chosen = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, "Accept": "application/json", "Accept-Encoding": "identity"}
    return f"{parts.scheme}://{chosen}:{port}{path}", headers, {"sni_hostname": host}


def _may_be_asked(address: Address, *, loopback: bool) -> bool:
    """Tell whether *address* is the internet's, or in a demonstration this machine's own."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _may_be_asked(address.ipv4_mapped, loopback=loopback)
        if address in _TRANSLATED or address.sixtofour is not None or address.teredo is not None:
            return False
    if address.is_loopback:
        return loopback
    return address.is_global and not address.is_multicast and not address.is_reserved


def _life(cache_control: str) -> float:
    """Return for how long a set may be kept. RFC 9111 section 5.2.2."""
    if _NEVER.search(cache_control):
        return 0.0
    told = _MAX_AGE.search(cache_control)
    return min(float(told[1]), LONGEST) if told else USUAL
