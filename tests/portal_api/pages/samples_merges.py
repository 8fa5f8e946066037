"""An operator's pages about a merge, in each of their states."""

from collections.abc import Iterator
from dataclasses import replace

from portal_api.pages.views_merges import Compared, ConfirmView, MergeView, PairShown
from portal_api.pages.views_messages import MessageRow
from portal_api.pages.views_shell import FormError, Shell
from tests.portal_api.pages.samples import OPERATOR, moment, staff_shell

PLACE = "/operator/merges/pas/0a1" + "0" * 64
PAIR = PairShown(
    rows=(
        Compared("Name", ("Mr Alan Ashworth",), ("Alan James Ashworth",), differs=True),
        Compared("Born", ("4 March 1955",), ("3 April 1955",), differs=True),
        Compared("Sex", ("male",), ("male",), differs=False),
        Compared("NHS number", ("9990000018",), (), differs=False),
        Compared("Other numbers", ("H55 (RXX)",), ("A7 (RXX)", "A6 (RXX, no longer used)"), False),
        Compared("Address", ("1 Long Street, Northgate, NG1 2AB",), (), differs=False),
        Compared("Record", ("0a1" + "0" * 29,), ("0b2" + "0" * 29,), differs=False),
    ),
    stays="0a1" + "0" * 29,
    retired="0b2" + "0" * 29,
    notes=("The numbers of whoever is to be retired are those of 1 more record, too.",),
    joined=False,
)


def merge_pages() -> Iterator[tuple[str, str, Shell, object]]:
    """A merge that waits, without a reason, decided on, and one that was filed."""
    shell = staff_shell("Error queue", *OPERATOR)
    row = MessageRow(
        href="/operator/messages/pas/0a1",
        feed="pas",
        control_id="M1",
        kind="ADT^A40",
        arrived=moment(3),
        fate="Set aside",
        field="MRG.1",
        reason="The two records do not agree on who it is.",
    )
    view = MergeView(
        row=row,
        meaning="two records are one person's",
        asked_by="Jo Clerk, Northgate Hospital",
        pairs=(PAIR,),
        waits=True,
        can_join=True,
        action=PLACE,
    )
    yield "operator-merge", "operator/merge.jinja", shell, view
    wrong = replace(view, errors=(FormError("reason", "Say why: the ledger keeps it."),))
    yield "operator-merge-wrong", "operator/merge.jinja", shell, wrong
    joined = replace(PAIR, joined=True, notes=("They are one record today.",))
    filed = replace(row, fate="Filed", field="", reason="")
    done = replace(view, row=filed, pairs=(joined, joined), waits=False, can_join=False)
    yield "operator-merge-joined", "operator/merge.jinja", shell, done
    confirm = ConfirmView(
        title="Join the records?",
        sentences=("Nothing is moved, and you can take it back on this page.",),
        pairs=(PAIR,),
        button="Yes, join them",
        action=f"{PLACE}/done",
        fields=(("decision", "join"), ("patient", ""), ("reason", "They rang.")),
        back=PLACE,
        reason="They rang.",
    )
    yield "operator-merge-check", "operator/merge_check.jinja", shell, confirm
