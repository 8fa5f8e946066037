"""Text as it is compared: strings folded, tokens escaped, and the escapes of search values.

https://hl7.org/fhir/R4/search.html#string and https://hl7.org/fhir/R4/search.html#escaping
"""

import re
import unicodedata

_APOSTROPHES = str.maketrans("", "", "'’\u02bc`\u00b4")
_ESCAPED = re.compile(r"\\([\\,|$])")


def folded(text: str) -> str:
    """Return *text* without case, accents, apostrophes and surplus white space."""
    bare = _without_marks(text.translate(_APOSTROPHES))
    return " ".join(_without_marks(bare.casefold()).split())


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(one for one in decomposed if not unicodedata.combining(one))


def escaped(text: str) -> str:
    """Return a system or a code in which no bar can be taken for the one between them."""
    return text.replace("\\", "\\\\").replace("|", "\\|") if "\\" in text or "|" in text else text


def unescaped(text: str) -> str:
    r"""Return a search value with `\,`, `\|`, `\$` and `\\` replaced by what they stand for."""
    return _ESCAPED.sub(r"\1", text)


def split(text: str, separator: str) -> list[str]:
    """Return the parts of *text* between separators that no backslash escapes, escapes kept."""
    parts, current, position = [], "", 0
    while position < len(text):
        letter = text[position]
        if letter == "\\":
            current += text[position : position + 2]
            position += 2
        elif letter == separator:
            parts.append(current)
            current = ""
            position += 1
        else:
            current += letter
            position += 1
    return [*parts, current]
