"""A result as a laboratory sends it."""


def psa(number: int) -> str:
    """Return a PSA of 5.10 under this control id (M), order (ORD) and filler number (LAB)."""
    dates = "|||20261124083000|||||||||||||||20261124091500||CH|F"
    return "\r".join(
        [
            f"MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|20261124091500||ORU^R01^ORU_R01|M{number}|P|2.5.1",
            "PID|1||9990000018^^^NHS^NH||Example^Alan||19550301|M",
            f"ORC|RE|ORD{number}|LAB{number}",
            f"OBR|1|ORD{number}|LAB{number}|2857-1^PSA^LN{dates}",
            "OBX|1|NM|2857-1^PSA^LN||5.10|ug/L|0-6.5|H|||F|||20261124083000",
            "",
        ]
    )
