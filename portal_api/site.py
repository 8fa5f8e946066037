"""What a site calls itself, whom its patients ring, and how soon it answers: its own `site.toml`.

The file lies in PORTAL_DATA_DIR and is judged before anything starts. What it does not say is not
shown: the pages then name no number, and send people to the letters from their hospital.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from portal_api.settings import SettingWrong

FILE = "site.toml"
_LONGEST = 200
_PHONE = re.compile(r"\+?[0-9][0-9 ]{1,20}")


@dataclass(frozen=True, slots=True)
class Site:
    """What a site calls itself and promises its patients; what it does not set is not shown."""

    service_name: str
    reply_time: str
    """When the team answers, as a sentence: `We aim to reply within 2 working days.`"""
    help_phone: str = ""
    """Whom to ring about a result or a message; empty where there is no such line."""
    help_hours: str = ""
    """When somebody answers there, as a sentence."""
    urgent_phone: str = ""
    """The 24-hour line for people in treatment; empty where there is none."""
    late_after_days: int = 2
    """Days after which a message without an answer is marked as late in the inbox."""
    demonstration: bool = False


NEUTRAL = Site("Cancer results and messages", "We aim to reply within 2 working days.")
"""A site that has said nothing about itself."""

DEMONSTRATION = Site(
    service_name="Mersey cancer results and messages",
    reply_time="We aim to reply within 2 working days.",
    help_phone="0151 496 0123",
    help_hours="Somebody answers Monday to Friday, 9am to 5pm.",
    urgent_phone="0151 496 0199",
    demonstration=True,
)
"""The demonstration's site: its numbers are kept for drama, and nobody answers them."""


def of_folder(data_dir: Path, *, demonstration: bool) -> Site:
    """Return the site that `site.toml` in *data_dir* describes; the usual one without that file.

    Raises SettingWrong, which names what is wrong in the file.
    """
    path = data_dir / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return DEMONSTRATION if demonstration else NEUTRAL
    except (OSError, ValueError) as error:
        raise SettingWrong(f"{path} cannot be read.") from error
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingWrong(f"{path} is not TOML: {error}.") from error
    return _judged(path, said, demonstration=demonstration)


def _judged(path: Path, said: Mapping[str, Any], *, demonstration: bool) -> Site:
    unknown = sorted(said.keys() - _FITS.keys())
    if unknown:
        known = ", ".join(_FITS)
        raise SettingWrong(f"{path}: {unknown[0]} is not known; a site has {known}.")
    for name, value in said.items():
        fits, wanted = _FITS[name]
        if not fits(value):
            raise SettingWrong(f"{path}: {name} must be {wanted}; it is {value!r}.")
    return replace(NEUTRAL, **said, demonstration=demonstration)


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()


def _is_phone(value: Any) -> bool:
    return isinstance(value, str) and _PHONE.fullmatch(value) is not None


def _is_days(value: Any) -> bool:
    return type(value) is int and 1 <= value <= 31


_LINE = (_is_line, f"one line of text, {_LONGEST} characters at most")
_NUMBER = (_is_phone, 'a telephone number such as "0151 496 0123"')
_FITS: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    {
        "service_name": _LINE,
        "reply_time": _LINE,
        "help_phone": _NUMBER,
        "help_hours": _LINE,
        "urgent_phone": _NUMBER,
        "late_after_days": (_is_days, "a whole number of days from 1 to 31"),
    }
)
"""What may stand in the file: how each value is judged, and what it has to be, in words."""
