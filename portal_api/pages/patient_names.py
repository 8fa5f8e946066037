"""Who a patient is, as every page of a clinician says it."""

from portal_api import care_team, london
from portal_api.care_team import Person
from portal_api.pages.desk import Visit
from portal_api.pages.views_clinician import PatientName

_PATIENTS = "/clinician/patients"


def patient_name(visit: Visit, person: Person) -> PatientName:
    """Return name, birth and NHS number of a patient, with a link to them."""
    now = visit.caller.record.clock()
    born, years = london.moment(person.born), london.years_old(person.born, now)
    age = "" if years is None else f" ({years} years)"
    return PatientName(
        name=person.name or "A patient without a name",
        born=f"{london.day(born)}{age}" if born else "",
        nhs_number=care_team.spaced(person.nhs_number),
        href=f"{_PATIENTS}/{person.id}",
        listed=person.listed or person.name,
    )
