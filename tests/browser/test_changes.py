"""A correction and a withdrawal, from the laboratory's message to what everybody reads."""

import re
from dataclasses import replace
from datetime import timedelta

from adapters.intake.sending import code_of, send
from fhir_server.clock import now
from portal_api.demo.assays import ASSAYS, PROFILES, Measured
from portal_api.demo.messages import oru
from portal_api.demo.orders import Order
from portal_api.demo.story_people import story_people

WHEN = r"\d{1,2} \w+ \d{4}"


def sent(demonstration, order, result_status=""):
    """Send a message as the person's hospital does; return the code of its answer."""
    host, _, port = demonstration.environment["PORTAL_MLLP_ADDRESS"].partition(":")
    raw = oru(order)
    if result_status:
        lines = raw.split(b"\r")
        fields = [line.split(b"|") for line in lines]
        for each in fields:
            if each[0] == b"OBX":
                each[11] = result_status.encode()
        raw = b"\r".join(b"|".join(each) for each in fields)
    with send(host, int(port)) as exchange:
        return code_of(exchange(raw))


def test_a_patient_and_the_team_read_what_a_corrected_result_said_before(demonstration, visitor):
    graham = visitor("graham")
    assert "27.0 ug/L" in graham.opens("/patient")
    graham.follows("Bowel cancer marker (CEA)")
    page = graham.page.url.removeprefix(graham.address)
    assert demonstration.step("graham").startswith("AA Graham Whitlock")
    result = graham.opens(page)
    assert re.search(rf"This result was corrected on {WHEN}", result)
    assert "It was 27.0 ug/L before. Now it is 2.7 ug/L." in result
    assert "Corrected" in graham.opens("/patient")
    nurse = visitor("peter")
    assert "Results that the laboratory changed" in nurse.opens("/clinician")
    report = nurse.follows(re.compile("Result corrected: .*Whitlock"))
    assert re.search(r"27\.0 ug/L from .* until .*, then 2\.7 ug/L", report)
    assert re.search(r"Who saw the earlier value .*The patient\s*Opened it", report)


def test_a_result_that_is_taken_back_is_gone_at_once_and_both_sides_are_told(
    demonstration, visitor
):
    here = now()
    order = Order(
        person=story_people(here)["graham"],
        control_id="WITHDRAWN-1",
        filler="WITHDRAWN",
        profile=PROFILES["CEA"],
        taken=here - timedelta(days=1),
        issued=here - timedelta(hours=2),
        results=(Measured(ASSAYS["CEA"], "91.5"),),
        live=True,
    )
    assert sent(demonstration, order) == "AA"
    graham = visitor("graham")
    assert "91.5 ug/L" in graham.opens("/patient")
    graham.follows("Bowel cancer marker (CEA)")
    page = graham.page.url.removeprefix(graham.address)
    taken_back = replace(order, control_id="WITHDRAWN-2", issued=here, status="C")
    assert sent(demonstration, taken_back, "W") == "AA"
    assert "may not be yours to see" in graham.opens(page)
    home = graham.opens("/patient")
    assert re.search(rf"The laboratory took this result back on {WHEN}\.", home)
    assert "91.5" not in home
    nurse = visitor("peter")
    nurse.opens("/clinician")
    report = nurse.follows(re.compile("Result taken back: .*Whitlock"))
    assert "then Taken back" in report
    nurse.opens("/clinician")
    told = nurse.presses(re.compile("Dealt with.*Result taken back.*Whitlock"))
    assert "The changed result needs nothing more now." in told
    assert "Result taken back" not in told
