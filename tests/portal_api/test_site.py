"""A site says in one file what it is called and whom its patients ring; a slip stops the start."""

from pathlib import Path

import pytest

from portal_api.settings import SettingWrong
from portal_api.site import DEMONSTRATION, NEUTRAL, Site, of_folder

WHOLE = """\
service_name = "Northgate cancer results"
reply_time = "We answer on the next working day."
help_phone = "0151 496 0101"
help_hours = "Monday to Friday, 9am to 5pm."
urgent_phone = "+44 151 496 0999"
late_after_days = 1
"""


def test_without_a_file_nothing_is_promised_and_no_number_is_named(tmp_path):
    assert of_folder(tmp_path, demonstration=False) == NEUTRAL
    assert (NEUTRAL.help_phone, NEUTRAL.urgent_phone, NEUTRAL.help_hours) == ("", "", "")


def test_the_demonstration_has_numbers_that_nobody_answers(tmp_path):
    site = of_folder(tmp_path, demonstration=True)
    assert site == DEMONSTRATION
    assert site.demonstration
    assert all(one.startswith("0151 496 0") for one in (site.help_phone, site.urgent_phone))


@pytest.mark.parametrize("demonstration", [False, True])
def test_a_file_says_everything_about_its_site(tmp_path, demonstration):
    (tmp_path / "site.toml").write_text(WHOLE, encoding="utf-8")
    assert of_folder(tmp_path, demonstration=demonstration) == Site(
        service_name="Northgate cancer results",
        reply_time="We answer on the next working day.",
        help_phone="0151 496 0101",
        help_hours="Monday to Friday, 9am to 5pm.",
        urgent_phone="+44 151 496 0999",
        late_after_days=1,
        demonstration=demonstration,
    )


def test_what_a_file_leaves_out_is_not_made_up(tmp_path):
    (tmp_path / "site.toml").write_text('help_phone = "0151 496 0101"\n', encoding="utf-8")
    site = of_folder(tmp_path, demonstration=True)
    assert (site.help_phone, site.urgent_phone, site.help_hours) == ("0151 496 0101", "", "")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('help_fone = "0151 496 0101"', "help_fone"),
        ('help_phone = "ring us"', "help_phone"),
        ('help_phone = "0151 496 0101;ext=1"', "help_phone"),
        ("help_phone = 1514960101", "help_phone"),
        ('urgent_phone = ""', "urgent_phone"),
        ('urgent_phone = "\\u0660\\u0661\\u0665\\u0661"', "urgent_phone"),
        ('service_name = ""', "service_name"),
        ('service_name = "a\\u202eb"', "service_name"),
        ('reply_time = "one\\ntwo"', "reply_time"),
        (f'reply_time = "{"x" * 201}"', "reply_time"),
        ("late_after_days = 0", "late_after_days"),
        ("late_after_days = true", "late_after_days"),
        ('late_after_days = "2"', "late_after_days"),
        ("service_name", "site.toml is not TOML"),
    ],
)
def test_a_wrong_value_stops_the_start_with_a_sentence_that_names_it(tmp_path, text, named):
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingWrong) as wrong:
        of_folder(tmp_path, demonstration=False)
    assert named in str(wrong.value)
    assert str(wrong.value).startswith(str(tmp_path / "site.toml"))


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "site.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingWrong, match=r"site\.toml cannot be read\."):
        of_folder(tmp_path, demonstration=False)


def test_the_example_in_the_readme_is_a_site(tmp_path):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    example = readme.partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "site.toml").write_text(example, encoding="utf-8")
    assert of_folder(tmp_path, demonstration=False).help_phone == "0151 496 0101"
