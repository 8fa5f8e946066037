"""What filing says of a place in a message, said as that message has it: a field, or a FHIRPath."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from adapters.intake.occasion import Outcome
from adapters.intake.unclear import Unclear
from fhir_server.errors import Invalid


def at_its_places(places: Mapping[str, str], file: Callable[[], Outcome]) -> Outcome:
    """Return what *file* returns, with the flags at *places* (see `Conversion.places`).

    Raises Unclear likewise, also for a resource that is not valid where a message has *places* of
    its own, and Invalid where it has none.
    """
    try:
        outcome = file()
    except Unclear as unclear:
        address = places.get(unclear.address, unclear.address)
        raise Unclear(unclear.ack, unclear.hl7_code, unclear.code, address, unclear.text) from None
    except Invalid as invalid:
        if not places:
            raise
        text = invalid.issues[0].text
        raise Unclear("AE", 102, "resource-invalid", "Bundle", text) from None
    return replace(outcome, flags=tuple(_placed(outcome.flags, places)))


def _placed(flags: Iterable[str], places: Mapping[str, str]) -> Iterable[str]:
    for flag in flags:
        code, _, address = flag.partition(" ")
        yield f"{code} {places.get(address, address)}".strip()
