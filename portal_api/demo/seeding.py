"""What the portal is told before and after the hospitals send: pieces with audit entries, no rows.

Before: feeds, code maps, staff, the developers' app. After, when the hospitals' messages have made
the patients: their teams, their logins, and whose results a clinician wants to tell in person.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

from adapters.intake import code_maps, contact_first, registry
from auth import clients, policy
from auth.login import local
from auth.login.local import Login
from auth.principal import Principal, Role
from auth.views import DemoAccount
from fhir_server import amend
from fhir_server.access import Access, Agent, NoRecord
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import bucket_of, derived_id
from fhir_server.model.validate import judge
from fhir_server.record import Asked, Record, Writer
from portal_api.demo.accounts import APP, PASSWORD
from portal_api.demo.cast import Cast
from portal_api.demo.hospitals import HOSPITALS, Hospital, code_map, feeds
from portal_api.demo.orders import Person
from portal_api.demo.staff import CLINICIANS, STAFF_NUMBER, TEAMS, Clinician

Tree = dict[str, Any]
T = TypeVar("T")

REGISTRY = "demonstration-registry"
"""The application in whose name staff and teams are made, as the ledger has it."""
TOLD_IN_PERSON = ("brian", "colin")
_SECONDS = 60


def before(record: Record, accounts: Iterable[DemoAccount]) -> None:
    """Agree on the feeds, and make staff, their logins and the developers' app."""
    people = [one for one in accounts if one.role != "patient"]
    password_hash = local.hash_password(PASSWORD)
    made: list[Future[Any]] = []
    # Logins first: they mark this database as a demonstration's before anything else is in it.
    made.extend(_register(record, _staff_login(record, one), password_hash) for one in people)
    made.extend(_practitioner(record, one) for one in CLINICIANS)
    made.extend(_submitted(record, _agreed(one), f"feed:{one.key}") for one in HOSPITALS.values())
    made.append(
        _submitted(record, lambda writer: clients.register(writer, APP), f"client:{APP.client_id}")
    )
    _await(made)


def after(record: Record, cast: Cast, accounts: Iterable[DemoAccount]) -> None:
    """Put every patient into the care of a team, and give the stories' patients their logins."""
    _await(_team(record, one) for one in cast.people)
    password_hash = local.hash_password(PASSWORD)
    logins = [
        Login(
            one.login,
            Role.PATIENT,
            one.name,
            person=f"Patient/{patient_id(record, cast.person(one.login))}",
            demo=True,
        )
        for one in accounts
        if one.role == "patient"
    ]
    made = [_register(record, login, password_hash) for login in logins]
    made += [_told_in_person(record, cast.person(name)) for name in TOLD_IN_PERSON]
    _await(made)


def patient_id(record: Record, person: Person) -> str:
    """Return the id under which *person* is filed."""
    return derived_id(record.id_key, "Patient", NHS_NUMBER, person.number)


def practitioner_id(record: Record, clinician: Clinician) -> str:
    """Return the id of *clinician*: the one that hospitals' messages about them lead to."""
    return derived_id(record.id_key, "Practitioner", STAFF_NUMBER, clinician.number)


def _operator() -> Access:
    agent = Agent("operator", user="os:demonstration", purpose="HOPERAT", behind="demonstration")
    return Access(agent, "demonstration", NoRecord(), {})


def _registry() -> Access:
    principal = Principal(Role.CLIENT, user="", client_id=REGISTRY, behind="demonstration")
    return policy.access(principal, request_id="demonstration", network="127.0.0.1")


def _submitted(record: Record, piece: Callable[[Writer], T], entity: str) -> "Future[T]":
    return record.submit(_operator(), piece, asked=Asked("request", entity))


def _await(futures: Iterable["Future[Any]"]) -> None:
    for future in list(futures):
        future.result(timeout=_SECONDS)


def _register(record: Record, login: Login, password_hash: str) -> "Future[None]":
    return _submitted(
        record,
        lambda writer: local.register(writer, login, password_hash),
        f"login:{login.login}",
    )


def _staff_login(record: Record, account: DemoAccount) -> Login:
    clinician = next((one for one in CLINICIANS if one.login == account.login), None)
    return Login(
        account.login,
        Role(account.role),
        account.name,
        person=f"Practitioner/{practitioner_id(record, clinician)}" if clinician else "",
        organization=TEAMS[clinician.team].name if clinician else "Portal FHIR demonstration",
        demo=True,
    )


def _agreed(hospital: Hospital) -> Callable[[Writer], None]:
    def piece(writer: Writer) -> None:
        for feed in feeds(hospital):
            registry.agree(writer, feed)
            for local_code, meaning in code_map(hospital):
                code_maps.set_meaning(writer, feed.name, local_code, meaning)

    return piece


def _practitioner(record: Record, clinician: Clinician) -> "Future[None]":
    """Make the Practitioner whom messages and logins mean; its id follows from the staff number."""
    id_ = practitioner_id(record, clinician)
    tree = {
        "resourceType": "Practitioner",
        "identifier": [{"system": STAFF_NUMBER, "value": clinician.number}],
        "name": [
            {"family": clinician.family, "given": [clinician.given], "prefix": [clinician.title]}
        ],
    }

    def piece(writer: Writer) -> None:
        filed = writer.file(judge(tree), id_=id_, patient="", release_at=writer.now)
        writer.audit("create", entity=f"{filed.stored.reference}/_history/{filed.stored.version}")

    asked = Asked("create", f"Practitioner/{id_}")
    return record.submit(_registry(), piece, buckets=[bucket_of(id_)], asked=asked)


def _team(record: Record, person: Person) -> "Future[Any]":
    group = TEAMS[person.team]
    members = [
        {
            "role": [{"text": one.job}],
            "member": {
                "reference": f"Practitioner/{practitioner_id(record, one)}",
                "display": one.name,
            },
        }
        for one in CLINICIANS
        if one.team == person.team
    ]
    tree = {
        "resourceType": "CareTeam",
        "status": "active",
        "name": group.name,
        "subject": {"reference": f"Patient/{patient_id(record, person)}"},
        "participant": members,
        "telecom": [{"system": "phone", "value": group.phone, "use": "work"}],
    }
    return amend.create(record, _registry(), judge(tree))


def _told_in_person(record: Record, person: Person) -> "Future[None]":
    """Have the person's nurse ask for a call before a PSA opens."""
    nurse = next(one for one in CLINICIANS if one.team == person.team)
    principal = Principal(
        Role.CLINICIAN,
        user=f"Practitioner/{practitioner_id(record, nurse)}",
        name=nurse.name,
        organization=TEAMS[nurse.team].name,
    )
    access = policy.access(principal, request_id="demonstration", network="127.0.0.1")
    patient, hospital = patient_id(record, person), HOSPITALS[person.hospital]
    codes = (hospital.codes.get("PSA", "2857-1"),)

    def piece(writer: Writer) -> None:
        contact_first.mark(writer, patient, codes)

    return record.submit(access, piece, asked=Asked("request", f"Patient/{patient}"))
