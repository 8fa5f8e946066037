"""DTM, TS, DT and TM to FHIR date, dateTime, instant and time, with the precision as sent.

FHIR wants seconds and an offset once there is a time: missing minutes and seconds become zero,
and an offset that is not there is that of the sender's wall clock. An hour that the autumn change
repeats is read as the first of the two, and flagged; one that the spring change skips is flagged.
Source: HL7 v2 chapter 2A (DTM); https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

from adapters.hl7v2.context import Context, refusal

_FORM = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d+))?)?)?)?)?)?([+-]\d{4})?",
    re.ASCII,
)
_DAY_FIRST = re.compile(r"(\d\d)/(\d\d)/(\d{4})(?: (\d\d):(\d\d)(?::(\d\d))?)?", re.ASCII)
_TIME = re.compile(r"(\d\d)(\d\d)(?:(\d\d)(\.\d+)?)?(?:[+-]\d{4})?", re.ASCII)
_EARLIEST_YEAR = 1900


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as FHIR writes it; *when* is None where it has no time.

    *flag* is `time-ambiguous` or `time-skipped` where a clock change makes it doubtful.
    """

    text: str
    when: datetime | None
    flag: str = ""


def read_moment(text: str, zone: tzinfo, *, day_first: bool = False) -> Moment | None:
    """Return what *text* says, or None where it is no date."""
    form = _FORM.fullmatch(text)
    if form is None:
        form = _DAY_FIRST.fullmatch(text) if day_first else None
        if form is None:
            return None
        day, month, year, hour, minute, second = form.groups()
        fraction = offset = None
    else:
        year, month, day, hour, minute, second, fraction, offset = form.groups()
    try:
        wall = datetime(  # noqa: DTZ001 - the offset comes next
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
        )
    except ValueError:
        return None
    if not hour:
        return Moment("-".join(part for part in (year, month, day) if part), None)
    return _with_offset(wall, zone, offset or "", fraction or "")


def _with_offset(wall: datetime, zone: tzinfo, offset: str, fraction: str) -> Moment | None:
    flag = ""
    if offset:
        minutes = int(offset[1:3]) * 60 + int(offset[3:5])
        if minutes > 14 * 60 or offset[3] > "5":
            return None
        fixed = timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
        when = wall.replace(tzinfo=fixed)
    else:
        when = wall.replace(tzinfo=zone)
        earlier, later = when.utcoffset(), when.replace(fold=1).utcoffset()
        if earlier is None or later is None or earlier.seconds % 60:
            return None  # local mean time, before there were time zones
        if earlier != later:
            flag = "time-ambiguous" if earlier > later else "time-skipped"
        when = wall.replace(tzinfo=timezone(earlier))
    text = when.isoformat()
    if fraction:
        text = f"{text[:19]}.{fraction}{text[19:]}"
        when = when.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    return Moment(text, when, flag)


def _believed(text: str, context: Context, address: str) -> Moment:
    moment = read_moment(text, context.dialect.zone, day_first=context.dialect.day_first)
    latest = context.latest
    if (
        moment is None
        or int(moment.text[:4]) < _EARLIEST_YEAR
        or (latest is not None and (moment.when or _start(moment.text, context)) > latest)
    ):
        raise refusal(102, "date-bad", address, "This is not a date that can be believed.")
    if moment.flag:
        context.flag(moment.flag, address)
    return moment


def _start(text: str, context: Context) -> datetime:
    year, month, day = (int(part) for part in (text + "-01-01")[:10].split("-"))
    return datetime(year, month, day, tzinfo=context.dialect.zone)


def date(text: str, context: Context, address: str) -> str:
    """Return a FHIR date: the day, month or year of *text*. Refuses what is no date (AE 102)."""
    return _believed(text, context, address).text[:10]


def date_time(text: str, context: Context, address: str) -> str:
    """Return a FHIR dateTime. Refuses what is no date (AE 102)."""
    known = context.date_times.get(text)
    if known is None:
        known = context.date_times[text] = _believed(text, context, address).text
    return known


def instant(text: str, context: Context, address: str) -> tuple[str, datetime] | None:
    """Return a FHIR instant and the moment itself; None where *text* has no time of day.

    Refuses what is no date (AE 102).
    """
    moment = _believed(text, context, address)
    return None if moment.when is None else (moment.text, moment.when)


def loose_date_time(text: str, context: Context, address: str) -> str:
    """Return a FHIR dateTime of what no result depends on; unreadable, it is left out, flagged."""
    moment = read_moment(text, context.dialect.zone, day_first=context.dialect.day_first)
    if moment is None:
        context.flag("date-unread", address)
        return ""
    return moment.text


def period(start: str, end: str, context: Context, address: str) -> dict[str, str]:
    """Return a FHIR Period of what no result depends on; empty where nothing is said.

    A period that ends before it starts keeps its start alone, flagged.
    """
    made = {}
    for name, text in (("start", start), ("end", end)):
        moment = loose_date_time(text, context, address) if text else ""
        if moment:
            made[name] = moment
    if len(made) == 2 and is_before(made["end"], made["start"]):
        context.flag("date-unread", address)
        del made["end"]
    return made


def is_before(text: str, other: str) -> bool:
    """Tell whether one FHIR dateTime is before another, as far as both are precise."""
    if len(text) > 10 and len(other) > 10:
        return datetime.fromisoformat(text) < datetime.fromisoformat(other)
    precision = min(len(text), len(other), 10)
    return text[:precision] < other[:precision]


def time(text: str) -> str:
    """Return a FHIR time; empty where *text* is none."""
    form = _TIME.fullmatch(text)
    if form is None:
        return ""
    hour, minute, second, fraction = form.groups(default="")
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        return ""
    return f"{hour}:{minute}:{second or '00'}{fraction}"
