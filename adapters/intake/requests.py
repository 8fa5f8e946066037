"""The request that a result answers: the one that its order message made, if there was one."""

from collections.abc import Mapping

from adapters.hl7v2.conversion import Key, Made, ReportGroup, resolve
from adapters.intake.numbered import Tree, content_with_tags, known_id
from fhir_server.model.validate import judge
from fhir_server.record import Stored, Writer


def request_id(writer: Writer, group: ReportGroup, patient: str) -> dict[Key, str]:
    """Return the id of the request that *group* answers, by either of its numbers, under its key.

    Empty where it names none.
    """
    asked = group.service_request
    return {asked.key: known_id(writer, asked.key, group.placer_number, patient)} if asked else {}


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
    return judge(content_with_tags(before) | tree)


def is_answered(tree: Tree) -> bool:
    """Tell whether a result completed the request: no order message takes it back to active."""
    return bool(tree["status"] == "completed")


def _is_open(stored: Stored, now: int) -> bool:
    return stored.release_at is not None and stored.release_at <= now
