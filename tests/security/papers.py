"""What hospitals send beside results: letters, orders, appointments."""


def paper(nhs_number: str, kind: str, number: str, *segments: str) -> bytes:
    """Return a message of *kind* (`MDM^T02`) about somebody, under a number of its own."""
    return "\r".join(
        [
            f"MSH|^~\\&|EPR|RXX|PORTAL|CMCA|20261124084500||{kind}|{kind[:3]}{number}|P|2.5.1",
            f"PID|1||{nhs_number}^^^NHS^NH||Example^Person||19550301|M",
            *segments,
            "",
        ]
    ).encode()


def letter(nhs_number: str, number: str, signed: str = "AU") -> bytes:
    """Return a clinic letter, signed or not."""
    txa = f"TXA|1|CN^Letter^L|TX|||20261124080000||||||{number}|||||{signed}||AV"
    return paper(nhs_number, "MDM^T02", number, txa, "OBX|1|TX|B^Letter^L||Dear you||||||F")


def order(nhs_number: str, number: str, label: str = "") -> bytes:
    """Return an order for a test, confidential where it has a *label*."""
    orc, obr = f"ORC|NW|{number}", f"OBR|1|{number}||PSA^PSA^L"
    return paper(nhs_number, "OML^O21", number, orc + 26 * "|" + label if label else orc, obr)


def booking(nhs_number: str, number: str) -> bytes:
    """Return an appointment."""
    sch = f"SCH|{number}||||||||30|min|^^^20261201100000"
    return paper(nhs_number, "SIU^S12", number, sch, "AIL|1||^Room 4")
