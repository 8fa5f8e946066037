"""Comments: lines joined, never trimmed inside, never wrapped."""

from adapters.hl7v2.dialect import Dialect
from tests.adapters.hl7v2.oru_messages import OBX, observations, with_results

AUTHOR = "G9999991^Okafor^Ngozi^^^Dr^^^GMC"


def notes(*ntes, dialect=None):
    return observations(with_results(OBX, *ntes, dialect=dialect or Dialect()))[0].get("note")


def test_lines_are_joined_with_their_columns():
    assert notes("NTE|1||  Drug      Result", "NTE|2||", "NTE|3||  AMOX      R") == [
        {"text": "  Drug      Result\n\n  AMOX      R"}
    ]


def test_repetitions_and_line_breaks_are_lines():
    assert notes(r"NTE|1||one~two\.br\three") == [{"text": "one\ntwo\nthree"}]


def test_a_tilde_that_nobody_escapes_may_be_agreed_to_be_one():
    assert notes("NTE|1||~ 5 cm", dialect=Dialect(literal_tilde=True)) == [{"text": "~ 5 cm"}]


def test_blank_comments_are_none():
    assert notes("NTE|1||", "NTE|2||   ") is None


def test_another_author_or_time_is_another_comment():
    made = notes(f"NTE|1||one||{AUTHOR}|202608031200", "NTE|2||two")
    assert [note["text"] for note in made] == ["one", "two"]
    assert made[0]["time"] == "2026-08-03T12:00:00+01:00"
    assert made[0]["authorReference"]["display"] == "Dr Ngozi Okafor"
    assert "authorReference" not in made[1]


def test_an_author_without_a_number_is_a_name():
    assert notes("NTE|1||one||^Okafor^Ngozi")[0]["authorString"] == "Ngozi Okafor"


def test_characters_that_nobody_escaped_stay_in_the_text():
    assert notes("NTE|1||Na ^ K & urea") == [{"text": "Na ^ K & urea"}]
