"""Everybody who appears: story patients, generated patients, staff, and the accounts they have."""

from dataclasses import dataclass
from datetime import datetime

from auth.views import DemoAccount
from portal_api.demo.accounts import AUDITOR, OPERATOR, PATIENTS, account
from portal_api.demo.clinic import ClinicMessage, clinic_messages
from portal_api.demo.crowd import Patient, biopsies, crowd
from portal_api.demo.orders import Order, Person
from portal_api.demo.staff import CLINICIANS, TEAMS
from portal_api.demo.stories import Story, all_past, stories


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of one demonstration, at the moment at which it began."""

    stories: tuple[Story, ...]
    crowd: tuple[Patient, ...]
    biopsies: tuple[Order, ...]
    """Of two generated patients: one is opened to the patient at once, one waits."""
    clinic: tuple[ClinicMessage, ...]
    """A letter, an order and an appointment, which come just before the demonstration begins."""

    @property
    def people(self) -> tuple[Person, ...]:
        """Every patient, those of the stories first."""
        told = tuple(story.person for story in self.stories)
        return (*told, *(one.person for one in self.crowd))

    @property
    def history(self) -> tuple[Order, ...]:
        """All that happened before, each person's messages in their order."""
        generated = (order for one in self.crowd for order in one.past)
        return (*all_past(self.stories), *generated)

    @property
    def recent(self) -> tuple[Order, ...]:
        """What came by the live feeds just before the demonstration begins."""
        told = (order for story in self.stories for order in story.recent)
        return (*told, *self.biopsies)

    def story(self, name: str) -> Story | None:
        """Return the story of this name, None where there is none."""
        return next((one for one in self.stories if one.name == name), None)

    def person(self, name: str) -> Person:
        """Return the person of the story *name*."""
        return next(one.person for one in self.stories if one.name == name)


def cast(now: datetime) -> Cast:
    """Return everybody as they are at *now* (aware)."""
    generated, told = crowd(now), stories(now)
    alan = next(one for one in told if one.name == "alan")
    clinic = clinic_messages(alan.person, alan.steps[0](now), now)
    return Cast(told, generated, biopsies(generated, now), clinic)


def accounts(now: datetime) -> tuple[DemoAccount, ...]:
    """Return the accounts that the sign-in page offers, one kind of user after the other."""
    everybody = cast(now)
    patients = [
        account(login, full_name(everybody.person(login)), "patient", story)
        for login, story in PATIENTS
    ]
    clinicians = [
        account(one.login, one.name, "clinician", f"{one.job}, {TEAMS[one.team].name}")
        for one in CLINICIANS
    ]
    return (
        *patients,
        *clinicians,
        account(AUDITOR, "Morag Finch", "auditor", "Looks into who opened which record."),
        account(OPERATOR, "Dev Patel", "operator", "Looks after the hospitals’ feeds."),
    )


def full_name(person: Person) -> str:
    """Return a person's name as it is said."""
    return " ".join(filter(None, (person.title, person.given, person.family)))
