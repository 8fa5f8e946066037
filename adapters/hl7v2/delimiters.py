"""The delimiters of one message, as its first segment declares them.

HL7 v2.8 chapter 2, 2.5.4 (message delimiters) and 2.14.9.1, 2.14.9.2 (MSH-1, MSH-2).
"""

from dataclasses import dataclass, replace

from adapters.hl7v2.refusal import Refused

_DOUBLED = "^~\\\\&"  # the usual ones, as a programmer writes them
_MOST = 5  # component, repetition, escape, subcomponent, truncation


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The characters that part a message; empty where the message declares none.

    The truncation character that versions from 2.7 on may declare parts nothing and isn't here.
    """

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str


DEFAULT = Delimiters("|", "^", "~", "\\", "&")


def read_delimiters(
    line: str, name: str = "MSH", *, doubled_escape: bool = False
) -> tuple[Delimiters, tuple[str, ...]]:
    r"""Return the delimiters that *line*, an MSH, FHS or BHS segment, declares, and flags.

    Fewer than four characters in the second field: the missing delimiters are empty, and the
    flag is `delimiters-short`. A fifth is taken at any version. Where the feed agreed on a
    *doubled_escape*, `^~\\&` means the usual ones (`delimiters-doubled`). Raises Refused (AR
    102, `delimiters-bad`) where two are alike, where one is a letter, a digit or no printable ASCII
    character, and where there are none or more than five.
    """
    separator = line[3:4]
    declared = line[4:].partition(separator)[0] if separator else ""
    if not _is_delimiter(separator):
        raise _bad(f"{name}.1", f"{name}-1 is not a character that can part fields.")
    if not declared:
        raise _bad(f"{name}.2", f"{name}-2 is absent: the message declares no delimiters.")
    if doubled_escape and declared == _DOUBLED:
        return replace(DEFAULT, field=separator), ("delimiters-doubled",)
    if len(declared) > _MOST or not all(map(_is_delimiter, declared)):
        raise _bad(f"{name}.2", f"{name}-2 does not hold one to five delimiters.")
    if len(set(declared)) < len(declared):
        raise _bad(f"{name}.2", f"Two of the delimiters in {name}-2 are alike.")
    flags = ("delimiters-short",) if len(declared) < _MOST - 1 else ()
    return Delimiters(separator, *(declared[n : n + 1] for n in range(_MOST - 1))), flags


def _is_delimiter(character: str) -> bool:
    return "!" <= character <= "~" and not character.isalnum()


def _bad(field: str, text: str) -> Refused:
    return Refused("AR", 102, "delimiters-bad", field, text)
