"""One reading with its picture, its predecessor and its place: put together for a page."""

from portal_api.pages.charts import number_line, pictures
from portal_api.pages.views_patient import Previous, ReadingView
from portal_api.readings import Reading, Run, place, value_text


def reading_view(reading: Reading, course: tuple[Run, ...]) -> ReadingView:
    """Return *reading* as a page shows it; *course* are the runs of its test, itself included.

    Later readings are left out: a page shows what was known when this one came.
    """
    until = tuple(filter(None, (_up_to(run, reading) for run in course)))
    value, span = reading.quantity, reading.span
    return ReadingView(
        reading=reading,
        place=shown_place(reading),
        previous=_previous(reading, until),
        line=number_line(value, span) if value and span else None,
        course=until,
        pictures=pictures(until),
    )


def shown_place(reading: Reading) -> str:
    """Return `readings.place`, but never "within" for a marker of cancer.

    A cancer that comes back can begin far inside the range of people who never had it.
    """
    found = place(reading)
    return "" if found == "within" and reading.name.after_treatment else found


def _up_to(run: Run, last: Reading) -> Run | None:
    if last.taken is None:
        return None
    kept = tuple(
        one for one in run.readings if one.taken and one.taken.instant <= last.taken.instant
    )
    return Run(run.laboratory, run.method, run.unit, kept) if kept else None


def _previous(reading: Reading, course: tuple[Run, ...]) -> Previous | None:
    flat = [(run, one) for run in course for one in run.readings]
    for index, (run, one) in enumerate(flat):
        if one.observation == reading.observation and index:
            before_run, before = flat[index - 1]
            value = value_text(before.quantity) if before.quantity else before.text
            return Previous(value, before.taken, comparable=before_run is run)
    return None
