"""What a Bundle would become, without writing anything: for a hospital that tries its own."""

from adapters.fhir_push.bundle import opened
from adapters.fhir_push.head import kind_said
from adapters.fhir_push.reading import Came, tried
from adapters.hl7v2.ack import Fault
from adapters.hl7v2.refusal import Refused
from adapters.intake.feeds import Feed
from adapters.intake.preview import Preview, bundle_of, faults_of
from adapters.intake.reading import Verdict
from fhir_server import clock
from fhir_server.errors import Invalid

_PEER = "127.0.0.1"


def preview(raw: bytes, feed: Feed, base: str) -> Preview:
    """Return what the Bundle *raw* would become, were it to come by *feed*.

    Its kind is what `Bundle.type` says; *base* is the address of the FHIR interface. Whose record
    it would go into, and whether it came before, is not looked up.
    """
    try:
        kind = kind_said(opened(raw))
    except Refused:
        kind = "message"  # it is refused in the same words below
    found = tried(feed, Came(raw, kind, _PEER, clock.now(), base))
    if isinstance(found.content, Verdict):
        why = found.content.why
        several = (
            Fault(why.hl7_code, why.code, issue.expression or why.field, issue.text)
            for issue in found.issues
        )
        return Preview(
            found.control_id, found.content.ack or "AE", tuple(several) or (why,), (), (), None
        )
    content = found.content
    try:
        bundle = bundle_of(content, base)
    except Invalid as invalid:
        return Preview(found.control_id, "AE", faults_of(invalid, "Bundle"), (), (), None)
    accounted = (f"Bundle.entry[{number}] {fate}" for number, fate in content.accounted.items())
    flags = tuple(f"{flag.code} {flag.address}" for flag in content.flags)
    return Preview(found.control_id, "AA", (), flags, tuple(accounted), bundle, content)
