"""The messages that are measured with: results of a laboratory, as many as asked for in each."""

from fhir_server.model.identifiers import NhsNumber

PEOPLE = 50
_CODES = ("2857-1^PSA^LN", "718-7^Haemoglobin^LN", "2160-0^Creatinine^LN", "1975-2^Bilirubin^LN")


def nhs_numbers(count: int) -> list[str]:
    """Return *count* NHS numbers that are nobody's."""
    found: list[str] = []
    number = 9990000000
    while len(found) < count:
        if parsed := NhsNumber.parse(str(number)):
            found.append(parsed.digits)
        number += 1
    return found


def oru(number: int, results: int, person: str) -> bytes:
    """Return the message *number*, an order of its own with so many results."""
    order = f"O{number:06d}|L{number:06d}"
    when = "20261124083000"
    segments = [
        f"MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|20261124091500||ORU^R01^ORU_R01|B{number:06d}|P|2.5.1",
        f"PID|1||{person}^^^NHS^NH||Example^Person||19550301|M|||1 Sample Street^^Leeds^^LS1 1AA",
        f"ORC|RE|{order}|||||||||C1234567^Smith^Jo",
        f"OBR|1|{order}|24331-1^Panel^LN|||{when}|||||||||||||||20261124091500||CH|F",
    ]
    for place in range(1, results + 1):
        code = _CODES[place % len(_CODES)]
        value = f"{number % 90}.{place:02d}"
        segments.append(f"OBX|{place}|NM|{code}|{place}|{value}|ug/L|0-6.5|H|||F|||{when}")
    return "\r".join((*segments, "")).encode()
