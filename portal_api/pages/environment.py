"""The template environment: made when a portal is first put together, never at import, and kept.

Templates are escaped throughout. The NHS.UK macros leave out most of their parameters, so what a
mapping lacks is empty; what a view lacks is a mistake and stops the page.
"""

from dataclasses import is_dataclass
from functools import cache
from typing import Any

from jinja2 import ChainableUndefined, Environment, PackageLoader, PrefixLoader
from jinja2.exceptions import TemplateRuntimeError, UndefinedError
from jinja2.loaders import ChoiceLoader
from jinja2.utils import missing

from portal_api import london
from portal_api.pages import charts
from portal_api.pages.telephone import linked
from portal_api.pages.views_shell import Shell
from portal_api.plain_names import UNITS
from portal_api.readings import digits, unit_text, value_text, what_changed

_TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Embeddings, overrides and isolates of Unicode's bidirectional algorithm."""


class Unknown(ChainableUndefined):
    """Empty for a mapping's missing key; an error for a field that a view does not have."""

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        super().__init__(hint, obj, name, exc)
        if is_dataclass(obj):
            raise UndefinedError(f"{type(obj).__name__} has no field {name!r}.")


@cache
def unturned(value: Any) -> Any:
    """Return what a template prints, without the characters that turn the text around them.

    A hospital may have sent them (UAX 9): a page shows what was written in the order in which it
    was. The record keeps them.
    """
    return value.translate(_TURNING) if type(value) is str else value


def make_environment() -> Environment:
    """Return the environment that renders every page, with the NHS.UK frontend's macros in it."""
    environment = Environment(
        loader=ChoiceLoader(
            [
                PackageLoader("portal_api.pages", "templates"),
                PrefixLoader({"nhsuk": PackageLoader("nhsuk_frontend_jinja", "templates/nhsuk")}),
            ]
        ),
        autoescape=True,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=Unknown,
        finalize=unturned,
    )
    environment.filters.update(
        day=london.day,
        day_and_time=london.day_and_time,
        weekday=london.weekday,
        to_the_second=london.to_the_second,
        clock_time=london.clock_time,
        value=value_text,
        unit=unit_text,
        digits=digits,
        telephone=linked,
    )
    environment.globals.update(
        what_changed=what_changed, range_words=charts.range_words, unit_meaning=UNITS.get
    )
    return environment


def render(environment: Environment, template: str, shell: Shell, view: object) -> str:
    """Return the page *template* for *view* within *shell*, as HTML."""
    return environment.get_template(template).render(shell=shell, site=shell.site, view=view)
