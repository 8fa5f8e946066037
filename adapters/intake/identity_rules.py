"""What a feed has agreed to say of everybody: the rules that its messages are held to.

They ask for more than the portal itself does, which needs an identifier of any kind, and the birth
date with an NHS number.
"""

from adapters.hl7v2.conversion import PersonNamed
from adapters.hl7v2.refusal import Refused
from adapters.intake.feeds import Feed


def require(feed: Feed, person: PersonNamed) -> None:
    """Raise Refused (AE 101, `identity-rule`) where *person* lacks what *feed* has to say."""
    if feed.needs_nhs_number and person.nhs_number is None:
        raise _lacking("PID.3", "This feed has agreed to send an NHS number with everybody.")
    if feed.needs_birth_date and not person.birth_date:
        raise _lacking("PID.7", "This feed has agreed to send everybody's birth date.")


def _lacking(address: str, text: str) -> Refused:
    return Refused("AE", 101, "identity-rule", address, text)
