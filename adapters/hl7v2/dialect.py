"""How one sender writes HL7 v2: what the standard leaves open, agreed per feed, as data.

Nothing here is a guess: an agreement that is not made stays off, and a message that would need it
is refused with the field to blame.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Dialect:
    """The agreements with one feed.

    *zone* is the clock on the sender's wall, for dates without an offset. *authority* names the
    sender where MSH-4 is empty. *local_systems* maps the name of a code system in CWE.3 to a
    URI, and *local_base* is the URI under which all its other local codes live (empty: one made
    from the sender's name). *identifier_systems* maps an assigning authority to the URI of its
    identifiers; *identifier_authorities* names the authority of a bare PID-3 by its position.
    """

    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Europe/London"))
    day_first: bool = False
    """Dates may come as DD/MM/YYYY."""

    message_forms: frozenset[str] = frozenset()
    """Whole texts of MSH-9 that mean ORU^R01 from this sender: `ORU`, `ORU_R01`, `oru^r01`."""

    authority: str = ""
    ods_codes: frozenset[str] = frozenset()
    """Names in MSH-4 and assigning authorities that are ODS codes."""

    identifier_authorities: tuple[str, ...] = ()
    identifier_systems: Mapping[str, str] = field(default_factory=dict)
    nhs_number_in_pid_19: bool = False

    local_base: str = ""
    local_systems: Mapping[str, str] = field(default_factory=dict)

    report_status: str = ""
    """OBR-25 where the sender leaves it empty, by written agreement; empty: it must not."""
    observation_status: str = ""
    """OBX-11 likewise."""
    category: str = "laboratory"
    """What the feed sends where OBR-24 is empty: a code of observation-category, or nothing."""
    document_availability: str = ""
    """TXA-19 (table 0273) where the sender leaves it empty, by written agreement."""
    histology_tests: frozenset[str] = frozenset()
    """OBR-4 codes of cellular pathology, for a sender that leaves OBR-24 empty."""

    numbers_in_text: bool = False
    """An ST that is a number, or a comparator and a number, and has a unit, is that number."""
    report_of_lines: bool = True
    """A group of text lines under one code is one report, its lines joined."""
    literal_tilde: bool = False
    """`~` inside free text is a character that the sender forgot to escape."""
    patient_level_results: bool = False
    """OBX may stand under PID, before any order: kept raw. Otherwise that is an error of order."""
    charset: str = ""
    """The character set where MSH-18 is empty; for the reader of the bytes."""
    doubled_escape: bool = False
    """The escape character stands twice in MSH-2, and means the usual delimiters."""
    batches: bool = False
    """Batches (FHS, BHS) may come; for whoever takes frames apart."""


STANDARD = Dialect()
"""What holds where nothing is agreed."""
