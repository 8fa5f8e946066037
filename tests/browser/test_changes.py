"""A correction, a withdrawal and a merge, from the message to what everybody reads."""

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


def test_results_under_two_numbers_become_one_list_when_the_hospital_joins_them(
    demonstration, visitor
):
    graham, here = story_people(now())["graham"], now()
    sent_at = f"{here - timedelta(hours=1):%Y%m%d%H%M%S}+0000"
    head = f"MSH|^~\\&|TIDELAB|X3C03|PORTAL|MERSEY|{sent_at}||"
    who = f"Whitlock^Graham||{graham.born:%Y%m%d}|M"
    demonstration.send(
        f"{head}ORU^R01^ORU_R01|TWO-1|P|2.5.1\n"
        f"PID|1||T99999^^^X3C03-PAS^MR||{who}\n"
        f"OBR|1|OTWO|LTWO|2857-1^PSA^LN|||{sent_at}|||||||||||||||{sent_at}||CH|F\n"
        "OBX|1|NM|2857-1^PSA^LN||5.55|ug/L|0-6.5||||F\n",
        "TWO-1",
    )
    home = visitor("graham")
    assert "5.55 ug/L" not in home.opens("/patient")
    demonstration.amend("tidewater", "merges=true")
    demonstration.send(
        f"{head}ADT^A40^ADT_A39|TWO-2|P|2.5.1\nEVN|A40|{sent_at}\n"
        f"PID|1||{graham.number}^^^NHS^NH||{who}\nMRG|T99999^^^X3C03-PAS^MR\n",
        "TWO-2",
    )
    results = home.opens("/patient")
    assert "5.55 ug/L" in results
    assert "Bowel cancer marker (CEA)" in results
    assert "5.55 ug/L" in home.follows("Prostate blood test (PSA)")
