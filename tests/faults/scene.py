"""How scenes go and end: all is sent and acknowledged, the portal stops, and is reckoned with."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.hospital import Ward, insist
from tests.faults.program import Program
from tests.faults.reckoning import Finding, Kind, filed, findings


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a scene: how many faults there were, what was acknowledged, what is wrong."""

    runs: int
    acknowledged: int
    otherwise: Mapping[str, int]
    """Answers that were no AA, by their code and the fault's."""
    findings: tuple[Finding, ...]

    def number(self, kind: Kind) -> int:
        """Return how many findings there are of this kind."""
        return sum(one.kind == kind for one in self.findings)

    def __add__(self, other: "Seen") -> "Seen":
        """Return what came of both."""
        return Seen(
            self.runs + other.runs,
            self.acknowledged + other.acknowledged,
            Counter(self.otherwise) + Counter(other.otherwise),
            self.findings + other.findings,
        )


async def more(ward: Ward, messages: int) -> None:
    """Wait until so many messages more are acknowledged."""
    enough = len(ward.acknowledged) + messages
    while len(ward.acknowledged) < enough:
        await asyncio.sleep(0.001)


async def refused(ward: Ward) -> None:
    """Wait until a message more was answered with anything but AA, or all that were on the way and
    as many again were taken: a portal that is broken refuses none."""
    before, enough = ward.otherwise.total(), len(ward.acknowledged) + 2 * ward.people
    while ward.otherwise.total() == before and len(ward.acknowledged) < enough:
        await asyncio.sleep(0.001)


def amid(port: int, ward: Ward, trouble: Coroutine[Any, Any, None]) -> None:
    """Let the hospital send to *port* while *trouble* lasts, and what it has left after that."""

    async def close() -> None:
        await trouble
        ward.close()

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(insist(port, ward))
            group.create_task(close())

    asyncio.run(both())


def closing(portal: Program, ward: Ward, runs: int) -> Seen:
    """Let the hospital send what it has left to a running portal, stop the portal, and reckon."""
    ward.close()
    asyncio.run(insist(portal.mllp, ward))
    portal.ask_to_stop()
    status = portal.ended()
    found = [] if status == 0 else [Finding("other", f"the portal ended with status {status}")]
    found += reckoned(portal, ward)
    found += [
        Finding("other", f"{one} was filed and never acknowledged")
        for one in sorted(filed(portal.database_url) - ward.acknowledged.keys())
    ]
    return Seen(runs, len(ward.acknowledged), Counter(ward.otherwise), tuple(found))


def reckoned(portal: Program, ward: Ward) -> list[Finding]:
    """Return what is wrong in the store and in the ledger of a portal that has ended."""
    found = findings(portal.database_url, ward.sent, ward.acknowledged)
    wrong = portal.verify()
    return [*found, Finding("other", f"the ledger does not verify: {wrong}")] if wrong else found
