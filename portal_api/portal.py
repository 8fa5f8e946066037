"""What the portal is made of while it runs: a value that its parts are given."""

from dataclasses import dataclass

from adapters.intake.listener import Tally
from adapters.intake.registry import Listening
from auth.views import DemoAccount
from fhir_server.notary import Notary
from fhir_server.record import Record
from portal_api.settings import Settings


@dataclass(frozen=True, slots=True)
class Portal:
    """The record and those around it.

    *feeds* are the agreements as every door of this process takes them. *demo_accounts* are
    offered at sign-in in demo mode alone.
    """

    settings: Settings
    record: Record
    notary: Notary
    tally: Tally
    feeds: Listening
    demo_accounts: tuple[DemoAccount, ...] = ()

    @property
    def is_demo(self) -> bool:
        """Tell whether this is a demonstration: synthetic people, loopback only."""
        return bool(self.demo_accounts)
