"""Templates: whole, escaped, without scripts or inline styles, and in plain English."""

import re
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from portal_api.pages.environment import make_environment, render
from portal_api.pages.views_shell import ProblemView
from tests.portal_api.pages.every_page import every_page
from tests.portal_api.pages.samples import patient_shell
from tests.portal_api.pages.samples_patient import patient_pages

PAGES = {name: (template, shell, view) for name, template, shell, view in every_page()}
PATIENTS = {name: (template, shell, view) for name, template, shell, view in patient_pages()}


class Tags(HTMLParser):
    """Collects every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def environment():
    return make_environment()


def tags_of(html) -> list[tuple[str, dict[str, str | None]]]:
    found = Tags()
    found.feed(html)
    return found.tags


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_script_no_inline_style_and_no_address_of_another_host(environment, name):
    for tag, attributes in tags_of(render(environment, *PAGES[name])):
        assert tag not in {"script", "iframe", "object", "embed", "base"}
        assert "style" not in attributes
        assert not [one for one in attributes if one.startswith("on")]
        for attribute in ("href", "src", "action"):
            target = attributes.get(attribute) or "/"
            assert target.startswith(("/", "#", "tel:"))
            assert not target.startswith("//")


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_used_once_and_every_form_that_changes_something_has_its_token(environment, name):
    html = render(environment, *PAGES[name])
    ids = [attributes["id"] for _, attributes in tags_of(html) if attributes.get("id")]
    assert len(ids) == len(set(ids))
    for form in re.findall(r"<form\b.*?</form>", html, re.DOTALL):
        if 'method="post"' in form:
            assert 'name="csrf" value="token"' in form


def test_a_misspelt_field_of_a_view_stops_the_page(environment):
    template = environment.from_string("{{ view.titel }}")
    with pytest.raises(UndefinedError, match="ProblemView has no field 'titel'"):
        template.render(view=ProblemView("x", ()))


def test_what_people_write_is_escaped_everywhere(environment):
    view = ProblemView("<img src=x onerror=alert(1)>", ("<b>bold</b>",))
    html = render(environment, "account/problem.jinja", patient_shell(""), view)
    assert "<img" not in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html


def sentences(html) -> list[str]:
    """The sentences in the paragraphs of a page's main part, without what others wrote."""
    main = html.split("<main", 1)[1].split("</main>")[0]
    main = re.sub(r'<div class="portal-(words|message__text)".*?</div>', "", main, flags=re.DOTALL)
    paragraphs = re.findall(r"<p[ >].*?</p>", main, re.DOTALL)
    words = [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in paragraphs]
    return [one for text in words for one in re.split(r"(?<=[.?!])\s+", text) if one.count(" ") > 2]


def syllables(word) -> int:
    """About how many syllables an English word has."""
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    silent = word.lower().endswith("e") and not word.lower().endswith("le") and groups > 1
    return max(1, groups - silent)


def test_the_patients_pages_read_like_a_text_for_eleven_year_olds(environment):
    """Flesch and Kincaid's grade 6 is the school year of children of eleven."""
    found = {one for page in PATIENTS.values() for one in sentences(render(environment, *page))}
    words = [word for one in found for word in re.findall(r"[A-Za-z’]+", one)]
    spoken = sum(map(syllables, words))
    grade = 0.39 * len(words) / len(found) + 11.8 * spoken / len(words) - 15.59
    assert len(found) > 40
    assert grade <= 6


def test_row_22_nothing_that_a_hospital_sent_turns_a_page_round(environment):
    page = environment.from_string("<p>{{ said }} {{ said|upper }} {{ marked }}</p>")
    said = "PSA 7.3\u202e9.1\u202c\u2067x\u2069 <b>"
    shown = page.render(said=said, marked=Markup("<i>kept</i>"))
    assert shown == "<p>PSA 7.39.1x &lt;b&gt; PSA 7.39.1X &lt;B&gt; <i>kept</i></p>"
    assert page.render(said="\u05d0\u200f é", marked="").startswith("<p>\u05d0\u200f é ")
