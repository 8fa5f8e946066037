"""What is known about a message while its segments are mapped, and what is gathered on the way."""

from dataclasses import dataclass, field
from datetime import datetime

from adapters.hl7v2.conversion import Flag, Key, Link, Made, Tree
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.refusal import Refused


@dataclass(frozen=True, slots=True)
class Context:
    """The dialect, the sender and the clock of one conversion; its flags and directory entries.

    *authority* is the sending facility; *local_base* the URI of its local codes. *sent_at* is
    MSH-7, *received_at* when the message came. Nothing later than *latest* is believed. Lists and
    maps in it grow while a message is mapped; it lives for one message.
    """

    dialect: Dialect
    authority: str
    local_base: str
    sent_at: datetime | None
    received_at: datetime | None
    latest: datetime | None
    flags: list[Flag] = field(default_factory=list)
    organizations: dict[Key, Tree] = field(default_factory=dict)
    practitioners: dict[Key, Tree] = field(default_factory=dict)
    date_times: dict[str, str] = field(default_factory=dict)
    units: dict[str, Tree] = field(default_factory=dict)
    systems: dict[str, str] = field(default_factory=dict)
    performers: dict[tuple[str, ...], list[Tree]] = field(default_factory=dict)
    """What was read already, by its text in the message: most results of a report share it."""

    def flag(self, code: str, address: str) -> None:
        """Note something that a person should know."""
        self.flags.append(Flag(code, address))

    def organization(self, key: Key, tree: Tree) -> Link:
        """Keep an Organization and return the link to it; the fuller of two entries stays."""
        return _keep(self.organizations, key, tree)

    def practitioner(self, key: Key, tree: Tree) -> Link:
        """Keep a Practitioner or PractitionerRole and return the link to it."""
        return _keep(self.practitioners, key, tree)


def _keep(entries: dict[Key, Tree], key: Key, tree: Tree) -> Link:
    kept = entries.get(key)
    if kept is None or len(kept) < len(tree):
        entries[key] = tree
    return Link(key)


def made(entries: dict[Key, Tree]) -> tuple[Made, ...]:
    """Return gathered directory entries as resources, in the order in which they were met."""
    return tuple(Made(key, tree) for key, tree in entries.items())


def refusal(error_code: int, code: str, address: str, text: str) -> Refused:
    """Return the refusal of a message whose content the sender must correct (AE).

    *error_code* is of table 0357: 100 segment sequence, 101 required field missing, 102 data
    type, 103 table value, 204 unknown key, 205 duplicate key.
    """
    return Refused("AE", error_code, code, address, text)
