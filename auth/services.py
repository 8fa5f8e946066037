"""What the sign-in and authorisation pages and endpoints are given by the composition root."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from auth.key_sets import KeySets
from auth.login.strangers import Strangers
from auth.throttle import Throttle
from auth.views import ConsentView, DemoAccount, RefusalView, SignInView
from fhir_server.clock import micros
from fhir_server.record import Record

HASHES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class AuthServices:
    """The record, our public address, and the renderers of the three pages.

    *public_url* is absolute and without a slash at its end; every address that we give out is
    made from it, never from a request's Host header. *fhir_path* is where the FHIR interface is.
    """

    record: Record
    public_url: str
    render_sign_in: Callable[[SignInView], bytes]
    render_consent: Callable[[ConsentView], bytes]
    render_refusal: Callable[[RefusalView], bytes]
    demo_accounts: tuple[DemoAccount, ...] = ()
    fhir_path: str = "/fhir"
    key_sets: KeySets = field(default_factory=KeySets)
    """The keys that applications publish."""
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHES_AT_ONCE))
    """Room for passwords that are looked at: each costs 64 MiB for a moment."""
    strangers: Strangers = field(default_factory=Strangers)
    """Names that were tried to sign in with and that nobody has."""
    attempts: Throttle = field(default_factory=lambda: Throttle(limit=60, seconds=60))
    """Sign-ins tried from one address."""
    exchanges: Throttle = field(default_factory=lambda: Throttle(limit=600, seconds=60))
    """Requests of one address to each endpoint for applications, which may serve many people."""

    @property
    def now(self) -> int:
        """The present instant in microseconds since 1970."""
        return micros(self.record.clock())

    @property
    def secure(self) -> bool:
        """Whether we are reached over TLS: everywhere but on a loopback demonstration."""
        return self.public_url.startswith("https://")

    @property
    def fhir_base(self) -> str:
        """The absolute address of the FHIR interface: what `aud` has to say."""
        return self.public_url + self.fhir_path
