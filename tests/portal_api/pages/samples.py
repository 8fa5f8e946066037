"""What the sample pages share: made-up people, results and frames."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from portal_api import london
from portal_api.pages.views_shell import (
    Choice,
    Contact,
    FormError,
    Link,
    PhoneLine,
    Shell,
    WritingBox,
)
from portal_api.readings import Reading, reading
from portal_api.site import Site

NOW = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
NAMES = {
    "Organization/a": "Northgate Hospital laboratory",
    "Organization/b": "Wirralside laboratory",
}
CONTACT = Contact(
    (
        PhoneLine("your team (Urology nurses)", "0151 496 0101"),
        PhoneLine("our helpline", "0151 496 0102", "Monday to Friday, 9am to 5pm."),
    ),
    "0151 496 0999",
)
SITE = Site(
    "My cancer results",
    "We aim to answer within 2 working days. We are here Monday to Friday, 9am to 5pm.",
    "0151 496 0101",
    "Monday to Friday, 9am to 5pm.",
    "0151 496 0999",
    demonstration=True,
)
_LOINC = {"psa": ("2857-1", "PSA"), "ca125": ("10334-1", "CA 125"), "hb": ("718-7", "Haemoglobin")}
HISTOLOGY = """MICROSCOPY
                         Site A      Site B
Tumour type              Adeno-      Normal
                         carcinoma   mucosa
Invasion                 Submucosa   None

SUMMARY: moderately differentiated adenocarcinoma."""


def moment(days: int, hour: int = 9, minute: int = 5) -> london.Moment:
    """A time so many days before today."""
    day = NOW - timedelta(days=days)
    return london.at(day.replace(hour=hour, minute=minute))


def observation(test: str, number: str, days: int, **also: Any) -> dict[str, Any]:
    """An Observation as the server serves it."""
    comparator = number[0] if number[0] in "<>" else ""
    code, name = _LOINC.get(test, ("", test))
    coding = {"coding": [{"system": "http://loinc.org", "code": code}]} if code else {}
    return {
        "resourceType": "Observation",
        "id": f"{test}{number}{days}".encode().hex().ljust(32, "0"),
        "status": "final",
        "code": coding | {"text": name},
        "effectiveDateTime": (NOW - timedelta(days=days)).isoformat(),
        "performer": [{"reference": "Organization/a"}],
        "valueQuantity": {
            "value": Decimal(number.lstrip("<>")),
            "unit": "g/L" if test == "hb" else "ug/L",
            **({"comparator": comparator} if comparator else {}),
        },
    } | also


def upper(high: str) -> dict[str, Any]:
    """A reference range with an upper end alone."""
    return {"referenceRange": [{"high": {"value": Decimal(high)}, "text": f"<={high}"}]}


def course(test: str, *points: tuple[str, int], **also: Any) -> list[Reading]:
    """Readings of one test, oldest first."""
    return [reading(observation(test, number, days, **also), NAMES) for number, days in points]


ALAN = course(
    *("psa", ("6.8", 730), ("7.1", 610), ("6.7", 490), ("6.9", 365), ("7.0", 182), ("7.3", 0)),
    **upper("6.5"),
)
BRIAN = course(
    *("psa", ("9.4", 970), ("<0.01", 850), ("<0.01", 730), ("<0.01", 545)),
    *(("0.04", 365), ("0.09", 182), ("0.21", 0)),
    **upper("4.5"),
)
MOVED = [
    *course("ca125", ("642", 140), ("118", 91), ("74", 56), **upper("35")),
    *course(
        "ca125", ("22", 35), ("11", 10), performer=[{"reference": "Organization/b"}], **upper("35")
    ),
]
BLOOD = course(
    *("hb", ("146", 300), ("131", 0)),
    referenceRange=[{"low": {"value": Decimal(130)}, "high": {"value": Decimal(170)}}],
)
NOTE = reading(
    observation("Histology", "1", 1) | {"valueQuantity": None, "valueString": HISTOLOGY}, NAMES
)


def patient_shell(current: str, done: str = "") -> Shell:
    """The frame of a patient's page."""
    links = (
        ("Results", "/patient"),
        ("Letters", "/patient/letters"),
        ("Appointments", "/patient/appointments"),
        ("Messages", "/patient/messages"),
        ("Who has looked", "/patient/access"),
    )
    navigation = tuple(Link(text, href, text == current) for text, href in links)
    return Shell(SITE, "/patient", navigation, "Alan Ashworth", "token", done)


def staff_shell(current: str, *links: tuple[str, str]) -> Shell:
    """The frame of a page for staff."""
    return Shell(
        SITE,
        links[0][1],
        tuple(Link(text, href, text == current) for text, href in links),
        "Sam Ortega",
        "token",
    )


CLINICIAN = (("My patients", "/clinician"), ("Team inbox", "/clinician/inbox"))
AUDITOR = (("Search", "/auditor"), ("Verify", "/auditor/verify"))
OPERATOR = (
    ("Feeds", "/operator"),
    ("Error queue", "/operator/errors"),
    ("Codes", "/operator/codes"),
    ("Trace", "/operator/trace"),
)
BOX = WritingBox("/patient/messages/1", "draft")
FAULTY = WritingBox(
    "/patient/messages",
    "draft",
    "",
    "",
    asks_subject=True,
    teams=(Choice("1", "Urology nurses"), Choice("2", "Chemotherapy team")),
    errors=(
        FormError("team", "Choose a team"),
        FormError("subject", "Write what it is about"),
        FormError("text", "Write your message"),
    ),
)
