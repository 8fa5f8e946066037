"""Whether the person in a message can be the one who is known: birth date, name and sex.

One that disagrees is flagged; two, or a birth date, send the message to a human. Names are compared
without case, accents and titles, and any name that is known will do.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from adapters.hl7v2.conversion import PersonNamed
from adapters.intake.unclear import Unclear

Tree = dict[str, Any]

_SEXES = frozenset({"male", "female"})
_TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "lord", "lady"}
    | {"rev", "revd", "reverend", "fr", "master"}
)
_WORD = re.compile(r"[^\W_]+")


def differences(known: Tree, person: PersonNamed) -> tuple[str, ...]:
    """Return flags for what differs mildly. Raises Unclear where it may be somebody else.

    Whose birth date does not confirm them (it is missing here or there) may not differ at all; with
    an NHS number it has to be there.
    """
    confirmed = bool(person.birth_date) and known.get("birthDate") == person.birth_date
    if not confirmed and (person.nhs_number or (person.birth_date and "birthDate" in known)):
        raise _conflict("PID.7", "The birth date is not that of the person known.")
    differing = [
        address
        for address, differs in (
            ("PID.5", _other_name(known.get("name", ()), person)),
            ("PID.8", _other_sex(known.get("gender", ""), person.gender)),
        )
        if differs
    ]
    if len(differing) > 1:
        raise _conflict("PID.5", "Name and sex are not those of the person known.")
    if differing and not confirmed:
        text = "This is not that of the person known, and no birth date confirms them."
        raise _conflict(differing[0], text)
    return tuple(f"identity-differs {address}" for address in differing)


def _conflict(address: str, text: str) -> Unclear:
    return Unclear(None, 204, "identity-conflict", address, text)


def _other_sex(known: str, sent: str) -> bool:
    return {known, sent} <= _SEXES and known != sent


def _other_name(names: Iterable[Tree], person: PersonNamed) -> bool:
    """Tell whether the message names somebody by a name that is not among *names*."""
    family, given = _folded(person.family), _folded(person.given)
    known = [
        (_folded(name.get("family", "")), [_folded(one) for one in name.get("given", ())])
        for name in names
    ]
    families = {one for one, _ in known if one}
    if family and families and family not in families:
        return True
    givens = [one for _, several in known for one in several if one]
    return bool(given and givens) and not any(_same_given(given, one) for one in givens)


def _same_given(given: str, known: str) -> bool:
    """Tell whether one can stand for the other: an initial, or the first of several."""
    return given.startswith(known) or known.startswith(given)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(one for one in decomposed if not unicodedata.combining(one))
    words = _WORD.findall(plain.replace("'", "").replace("’", ""))
    return "".join(word for word in words if word not in _TITLES)
