"""Pictures tell what the numbers tell, and never join what can't be compared."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portal_api.pages.charts import HEIGHT, WIDTH, number_line, pictures
from portal_api.pages.reading_views import reading_view
from portal_api.readings import Quantity, Span, runs
from tests.portal_api.pages.samples import ALAN, BLOOD, BRIAN, MOVED, course

DIGITS = st.decimals("0.001", "9999", places=3)


def test_a_number_line_places_the_value_against_the_usual_range():
    line = number_line(Quantity(Decimal("7.3"), "", "ug/L"), Span(None, Decimal("6.5"), ""))
    assert line.value.label == "7.3"
    assert line.band[0] < line.band[1] < line.value.at < WIDTH
    assert [edge.label for edge in line.edges] == ["6.5"]
    assert line.sentence == (
        "A line that shows your value, 7.3 ug/L, and the usual range, up to 6.5 ug/L."
    )


def test_without_ends_there_is_no_line():
    assert number_line(Quantity(Decimal(1), "", ""), Span(None, None, "see report")) is None


def test_a_value_under_the_limit_of_detection_is_hollow_at_that_limit():
    assert number_line(Quantity(Decimal("0.01"), "<", "ug/L"), Span(None, Decimal(4), "")).hollow
    (picture,) = pictures(runs(BRIAN))
    hollow = [dot for dots in picture.lines for dot in dots if dot.hollow]
    assert len(hollow) == 3
    bottom = next(tick.at for tick in picture.heights if tick.label == "0.01")
    assert {dot.y for dot in hollow} == {bottom}
    assert picture.hollow
    assert picture.logarithmic


def test_a_narrow_course_is_drawn_from_zero_so_that_small_changes_look_small():
    (picture,) = pictures(runs(ALAN))
    assert not picture.logarithmic
    assert picture.heights[0].label == "0"
    assert max(dot.y for dot in picture.lines[0]) - min(dot.y for dot in picture.lines[0]) < 20


def test_both_ends_of_a_usual_range_are_named_and_a_fall_within_it_can_be_seen():
    (picture,) = pictures(runs(BLOOD))
    assert [limit.label for limit in picture.limits] == [
        "top of usual range 170",
        "bottom of usual range 130",
    ]
    top, bottom = (limit.at for limit in picture.limits)
    before, after = picture.lines[0]
    assert top < before.y < bottom
    assert after.y - before.y > 40
    assert picture.heights[0].label == "120"


def test_no_usual_range_is_drawn_where_it_says_nothing():
    (picture,) = pictures(runs(ALAN))
    assert picture.limits == ()


def test_the_line_breaks_where_the_laboratory_changes_and_says_so():
    (picture,) = pictures(runs(MOVED))
    assert [len(dots) for dots in picture.lines] == [3, 2]
    (only,) = picture.breaks
    assert only.words == "laboratory"
    assert picture.lines[0][-1].x < only.x < picture.lines[1][0].x


def test_a_change_of_unit_starts_another_picture():
    other = course(
        "psa", ("7000", 20), ("7100", 10), valueQuantity={"value": Decimal(7000), "unit": "ng/L"}
    )
    drawn = pictures(runs([*ALAN[:-1], *other]))
    assert [picture.unit for picture in drawn] == ["ug/L", "ng/L"]
    assert all(picture.breaks == () for picture in drawn)


def test_one_reading_makes_no_picture():
    assert pictures(runs(ALAN[:1])) == ()


def test_a_result_is_shown_with_what_was_known_when_it_came():
    view = reading_view(ALAN[2], runs(ALAN))
    assert [one.observation for run in view.course for one in run.readings] == [
        one.observation for one in ALAN[:3]
    ]
    assert (view.previous.value, view.previous.comparable) == ("7.1 ug/L", True)


def test_the_result_before_from_another_laboratory_is_not_comparable():
    view = reading_view(MOVED[3], runs(MOVED))
    assert (view.previous.value, view.previous.comparable) == ("74 ug/L", False)


def test_a_marker_of_cancer_is_never_called_in_the_usual_range():
    assert reading_view(BRIAN[-1], runs(BRIAN)).place == ""
    assert reading_view(ALAN[-1], runs(ALAN)).place == "above"


@given(st.lists(st.tuples(DIGITS, st.integers(0, 3000)), min_size=2, max_size=12))
def test_every_dot_lies_within_the_picture_and_larger_values_lie_higher(points):
    readings = course("psa", *((str(number), days) for number, days in points))
    for picture in pictures(runs(readings)):
        dots = [dot for line in picture.lines for dot in line]
        assert all(0 <= dot.x <= WIDTH and 0 <= dot.y <= HEIGHT for dot in dots)
        ordered = [one for run in runs(readings) for one in run.readings]
        pairs = sorted(
            zip((one.quantity.number for one in ordered), dots, strict=True),
            key=lambda pair: pair[0],
        )
        heights = [dot.y for _, dot in pairs]
        assert heights == sorted(heights, reverse=True)


@given(DIGITS, st.none() | DIGITS, st.none() | DIGITS)
def test_every_mark_of_a_number_line_lies_within_it(number, one, other):
    low, high = sorted((one, other)) if one is not None and other is not None else (one, other)
    line = number_line(Quantity(number, "", "ug/L"), Span(low, high, ""))
    if line is not None:
        marks = [line.value.at, *line.band, *(edge.at for edge in line.edges)]
        assert all(0 <= mark <= WIDTH for mark in marks)
        assert line.band[0] <= line.band[1]
