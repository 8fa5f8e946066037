"""What a flag on a message means, in a sentence for whoever runs the feeds."""

from dataclasses import dataclass

from adapters.intake.stable_codes import meaning


@dataclass(frozen=True, slots=True)
class FlagShown:
    """A flag as it is shown: what it means, its stable code, and the field."""

    text: str
    code: str
    address: str


def flags_shown(flags: str) -> tuple[FlagShown, ...]:
    """Return the flags that the inbox keeps, one a line, in words."""
    return tuple(_shown(line) for line in flags.split("\n") if line)


def _shown(line: str) -> FlagShown:
    code, _, address = line.partition(" ")
    return FlagShown(meaning(code) or f"{code.replace('-', ' ').capitalize()}.", code, address)
