"""The generated patients: plausible courses by kind of cancer, the same in every run. Pure.

A seeded random source makes names, numbers and values, so that two runs on one day agree. Nothing
here is advice: the courses only have to look like those that a laboratory sees.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from types import MappingProxyType

from portal_api.demo.assays import ASSAYS, PROFILES, Measured
from portal_api.demo.days import birthday, months_before, reported_on, taken_on, today
from portal_api.demo.hospitals import HOSPITALS
from portal_api.demo.numbers import synthetic_numbers
from portal_api.demo.orders import Order, Person, Team

SIZE = 36
_SEED = 20_261_124
_FIRST_NUMBER = 100
"""Where the generated numbers begin: 999 000 1000, behind those of the stories."""

_FAMILIES = (
    *("Ashworth", "Bello", "Calder", "Dunne", "Eriksen", "Fagan", "Gill", "Hussain", "Iqbal"),
    *("Jarvis", "Kowalski", "Lunt", "Mistry", "Nolan", "Ormerod", "Peake", "Quirk", "Rimmer"),
    *("Sharples", "Tierney", "Ullah", "Vaughan", "Wardle", "Yates", "Zielinski", "Bray", "Crewe"),
)
_WOMEN = ("Renée", "Amina", "Beryl", "Chloë", "Doreen", "Edith", "Farah", "Gwen", "Hilda", "Joan")
_MEN = ("André", "Basil", "Cyril", "Dilip", "Ernest", "Frank", "Gareth", "Harold", "Imran", "José")
_BENIGN = (
    "HISTOLOGY REPORT",
    "",
    "Specimen     Site               Size",
    "A            Ascending colon     3 mm",
    "",
    "A: tubular adenoma with low grade dysplasia. No malignancy.",
)


@dataclass(frozen=True, slots=True)
class Patient:
    """One generated patient with all that was ever measured, oldest first."""

    person: Person
    kind: str
    past: tuple[Order, ...]


Values = dict[str, str]
Course = Callable[[Random, int, int], Values]
"""Random source, place in the course from 0 and its length, to the values of that day."""


@dataclass(frozen=True, slots=True)
class _Kind:
    team: Team
    sex: str
    marker: str
    every: int
    """Months between two visits."""
    visits: int
    course: Course
    treated: bool = False
    """Whether blood counts and liver tests go with it."""


def crowd(now: datetime) -> tuple[Patient, ...]:
    """Return the generated patients as they stand at *now* (aware)."""
    random = Random(_SEED)  # noqa: S311 - the same patients in every run, nothing secret
    numbers = synthetic_numbers(_FIRST_NUMBER)
    return tuple(_patient(random, next(numbers), place, now) for place in range(SIZE))


def next_order(random: Random, patient: Patient, place: int, now: datetime) -> Order:
    """Return what *patient*'s laboratory reports at *now*: message *place* of the live feed."""
    kind = _KINDS[patient.kind]
    values = kind.course(random, kind.visits, kind.visits + 1)
    order = _order(patient.person, kind.marker, f"LIVE{place:05d}", today(now), values)
    return replace(order, taken=now - timedelta(hours=4), issued=now, live=True)


def biopsies(patients: tuple[Patient, ...], now: datetime) -> tuple[Order, ...]:
    """Return two biopsies that came yesterday, of the first two of *patients* with bowel cancer."""
    yesterday = today(now) - timedelta(days=1)
    chosen = [one.person for one in patients if one.kind == "bowel"][:2]
    made = (_order(person, "HISTO", "HISTO1", yesterday, {}) for person in chosen)
    return tuple(replace(order, lines=_BENIGN, live=True) for order in made)


def _patient(random: Random, number: str, place: int, now: datetime) -> Patient:
    name = tuple(_KINDS)[place % len(_KINDS)]
    kind = _KINDS[name]
    sex = random.choice("FM") if kind.sex == "" else kind.sex
    given = random.choice(_WOMEN if sex == "F" else _MEN)
    hospital = tuple(HOSPITALS)[(place + place // len(_KINDS)) % len(HOSPITALS)]
    person = Person(
        number=number,
        family=random.choice(_FAMILIES),
        given=given if HOSPITALS[hospital].charset else _plain(given),
        born=birthday(now, random.randint(52, 81), random.randint(1, 12), random.randint(1, 28)),
        sex="F" if sex == "F" else "M",
        hospital=hospital,
        local_number=f"{hospital[0].upper()}7{place:04d}",
        team=kind.team,
        street=f"{random.randint(1, 98)} Shingle Row",
    )
    return Patient(person, name, _past(random, person, kind, today(now)))


def _past(random: Random, person: Person, kind: _Kind, here: date) -> tuple[Order, ...]:
    made = []
    last = random.randint(1, kind.every)
    for place in range(kind.visits):
        months = last + kind.every * (kind.visits - 1 - place)
        day = months_before(here, months) - timedelta(days=random.randint(0, 6))
        values = kind.course(random, place, kind.visits)
        made.append(_order(person, kind.marker, f"{kind.marker}{place + 1}", day, values))
        if kind.treated:
            count, liver = _under_treatment(random, place, kind.visits)
            made.append(_order(person, "FBC", f"FBC{place + 1}", day, count))
            made.append(_order(person, "LFT", f"LFT{place + 1}", day, liver))
    return tuple(made)


def _order(person: Person, profile: str, name: str, day: date, values: Values) -> Order:
    filler = f"{person.local_number}-{name}"
    return Order(
        person=person,
        control_id=filler,
        filler=filler,
        profile=PROFILES[profile],
        taken=taken_on(day),
        issued=reported_on(day),
        results=tuple(Measured(ASSAYS[key], value) for key, value in values.items()),
    )


def _plain(name: str) -> str:
    """Return *name* for a sender without accents."""
    return name.translate(str.maketrans("éë", "ee"))


def _number(value: float, digits: int) -> str:
    return f"{max(value, 0):.{digits}f}"


def _surveillance(random: Random, place: int, _length: int) -> Values:
    return {"PSA": _number(5.2 + 0.15 * place + random.uniform(-0.5, 0.5), 1)}


def _prostatectomy(random: Random, place: int, _length: int) -> Values:
    if place == 0:
        return {"PSA": _number(random.uniform(6, 14), 1)}
    return {"PSA": "<0.01" if random.random() < 0.8 else _number(random.uniform(0.01, 0.05), 2)}


def _radiotherapy(random: Random, place: int, _length: int) -> Values:
    if place == 0:
        return {"PSA": _number(random.uniform(9, 20), 1)}
    return {"PSA": _number(0.1 + 0.08 * place + random.uniform(0, 0.15), 2)}


def _bowel(random: Random, place: int, _length: int) -> Values:
    return {"CEA": _number(random.uniform(8, 24) if place == 0 else random.uniform(1.4, 3.6), 1)}


def _ovarian(random: Random, place: int, length: int) -> Values:
    """Return CA 125: high before treatment, up a little after surgery, then down."""
    left = 1 - place / length
    after_surgery = 1.3 if place == 2 else 1.0
    return {"CA125": _number(9 + 520 * left**4 * after_surgery * random.uniform(0.8, 1.2), 0)}


def _kidneys(random: Random, _place: int, _length: int) -> Values:
    creatinine = random.randint(62, 98)
    return {
        "NA": _number(random.uniform(136, 143), 0),
        "K": _number(random.uniform(3.8, 4.9), 1),
        "UREA": _number(random.uniform(3.4, 7.2), 1),
        "CREA": str(creatinine),
        "EGFR": ">90" if creatinine < 80 else str(random.randint(68, 90)),
    }


def _under_treatment(random: Random, place: int, length: int) -> tuple[Values, Values]:
    """Return counts and liver tests: lowest in the middle of the course, then recovery."""
    depth = 1 - abs(2 * place / max(length - 1, 1) - 1)
    counts = {
        "HB": _number(138 - 16 * depth + random.uniform(-3, 3), 0),
        "NEUT": _number(4.6 - 3.2 * depth + random.uniform(-0.2, 0.2), 1),
        "PLT": _number(250 - 140 * depth + random.uniform(-9, 9), 0),
    }
    liver = {
        "BILI": str(random.randint(6, 17)),
        "ALT": _number(24 + 45 * depth + random.uniform(-4, 4), 0),
        "ALP": str(random.randint(60, 118)),
        "ALB": str(random.randint(36, 45)),
    }
    return counts, liver


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "surveillance": _Kind("uro", "M", "PSA", 5, 8, _surveillance),
        "prostatectomy": _Kind("uro", "M", "PSA", 6, 8, _prostatectomy),
        "radiotherapy": _Kind("uro", "M", "PSA", 6, 10, _radiotherapy),
        "bowel": _Kind("bowel", "", "CEA", 4, 6, _bowel, treated=True),
        "bowel follow-up": _Kind("bowel", "", "UE", 6, 5, _kidneys),
        "ovarian": _Kind("gynae", "F", "CA125", 2, 6, _ovarian, treated=True),
    }
)
