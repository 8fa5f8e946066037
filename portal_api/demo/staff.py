"""Who works in the demonstration: fictional clinicians and their teams."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from portal_api.demo.orders import Team

STAFF_NUMBER = "https://portal-fhir.example/Id/demonstration-staff"
"""System of the staff numbers, which hospitals write as the assigning authority DEMO-STAFF."""
STAFF_AUTHORITY = "DEMO-STAFF"


@dataclass(frozen=True, slots=True)
class Clinician:
    """One member of a team. *login* is also the name to sign in with."""

    login: str
    number: str
    family: str
    given: str
    title: str
    job: str
    team: Team

    @property
    def name(self) -> str:
        """The name as it is said."""
        return f"{self.title} {self.given} {self.family}"


@dataclass(frozen=True, slots=True)
class CareGroup:
    """One team: how patients know it, and how to ring it."""

    key: Team
    name: str
    phone: str


TEAMS: Mapping[Team, CareGroup] = MappingProxyType(
    {
        "uro": CareGroup("uro", "Uro-oncology nurse specialists", "0151 496 0111"),
        "bowel": CareGroup("bowel", "Bowel cancer team", "0151 496 0122"),
        "gynae": CareGroup("gynae", "Gynaecological cancer team", "0151 496 0133"),
    }
)

CLINICIANS: tuple[Clinician, ...] = (
    Clinician("nadia", "S1001", "Rahman", "Nadia", "Ms", "Clinical nurse specialist", "uro"),
    Clinician("owen", "S1002", "Price", "Owen", "Mr", "Consultant urologist", "uro"),
    Clinician("fiona", "S2001", "Lindqvist", "Fiona", "Dr", "Consultant oncologist", "bowel"),
    Clinician("peter", "S2002", "Adeyemi", "Peter", "Mr", "Clinical nurse specialist", "bowel"),
    Clinician("grace", "S3001", "Okafor", "Grace", "Ms", "Clinical nurse specialist", "gynae"),
    Clinician("leah", "S3002", "Stone", "Leah", "Dr", "Consultant oncologist", "gynae"),
    Clinician("tessa", "S3003", "Neal", "Tessa", "Ms", "Support worker", "gynae"),
)

REQUESTERS: Mapping[Team, Clinician] = MappingProxyType(
    {one.team: one for one in CLINICIANS if one.login in {"owen", "fiona", "leah"}}
)
"""Who orders a team's tests."""
