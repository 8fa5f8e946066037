"""Who cares for whom: a clinician's patients, and a patient's teams."""

from dataclasses import dataclass

from fhir_server.model.identifiers import NHS_NUMBER
from portal_api.caller import NOT_IN_USE, Caller, Tree, display_name, find_all, read


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as staff have to see them; what is not known is empty."""

    id: str
    name: str
    born: str
    """A FHIR date."""
    nhs_number: str
    listed: str
    """The name as a list has it, the family name first: `Fletcher, Mr Alan`."""
    place: str
    """What a list is put in order by: family name, then given names, folded."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team that cares for a patient, and how to ring it."""

    id: str
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class UnderCare:
    """A patient of the caller's, with the names of the teams that care for them."""

    person: Person
    teams: tuple[str, ...]


async def my_patients(caller: Caller) -> tuple[UnderCare, ...]:
    """Return the patients whom the caller's teams care for, by family name."""
    found = await find_all(
        caller, "CareTeam", ("status", "active"), ("_include", "CareTeam:patient")
    )
    people = {one.stored.id: person(one.tree) for one in found.included}
    teams: dict[str, list[str]] = {}
    for one in found.matches:
        teams.setdefault(one.patient, []).append(display_name(one.tree))
    known = [
        UnderCare(people[id_], tuple(sorted(names)))
        for id_, names in teams.items()
        if id_ in people
    ]
    return tuple(sorted(known, key=lambda each: (each.person.place, each.person.id)))


async def patient_named(caller: Caller, id_: str) -> Person:
    """Return who a patient is. Raises NotFound for one who is not the caller's."""
    return person((await read(caller, "Patient", id_)).tree)


async def teams_of(caller: Caller, patient: str) -> tuple[Team, ...]:
    """Return the teams that care for *patient*, by name."""
    found = await find_all(caller, "CareTeam", ("patient", patient), ("status", "active"))
    teams = [Team(one.stored.id, display_name(one.tree), _phone(one.tree)) for one in found.matches]
    return tuple(sorted(teams, key=lambda team: team.name))


def person(tree: Tree) -> Person:
    """Return a Patient resource as a person."""
    numbers = (
        one.get("value", "")
        for one in tree.get("identifier", ())
        if one.get("system") == NHS_NUMBER
    )
    name = display_name(tree)
    family, given, titles = _parts(tree)
    rest = " ".join(filter(None, (titles, given)))
    return Person(
        id=tree["id"],
        name=name,
        born=tree.get("birthDate", ""),
        nhs_number=next(numbers, ""),
        listed=f"{family}, {rest}" if family and rest else name,
        place=" ".join(filter(None, (family, given))).casefold() or name.casefold(),
    )


def spaced(nhs_number: str) -> str:
    """Return an NHS number in groups of three, three and four, as it is read aloud."""
    return f"{nhs_number[:3]} {nhs_number[3:6]} {nhs_number[6:]}".strip()


def _parts(tree: Tree) -> tuple[str, str, str]:
    """Return the family name, the given names and the titles of the name in use."""
    for human in tree.get("name", ()):
        if human.get("use") not in NOT_IN_USE:
            given, titles = (" ".join(human.get(name, ())) for name in ("given", "prefix"))
            return human.get("family", ""), given, titles
    return "", "", ""


def _phone(tree: Tree) -> str:
    for contact in tree.get("telecom", ()):
        if contact.get("system") == "phone" and contact.get("value"):
            return str(contact["value"])
    return ""
