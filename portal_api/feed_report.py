"""What was found in a laboratory's messages, as a page to send to it: plain words, no patient data.

The page stands by itself: no script, no picture and no style from elsewhere.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from adapters.intake import checking
from adapters.intake.checking import Checked, Summed

Tree = dict[str, Any]

_ANSWERS = (
    ("AA", "would be taken"),
    ("AE", "would be kept aside until the sender corrects them"),
    ("AR", "would be refused"),
)


def as_tree(feed: str, checked: Sequence[tuple[str, Checked]]) -> Tree:
    """Return the report as JSON has it: `messages`, `answers`, `types`, `versions`, `remarks`."""
    messages = [message for _, message in checked]
    answers = Counter[str](message.answer for message in messages)
    return {
        "feed": feed,
        "messages": len(messages),
        "answers": {code: answers[code] for code, _ in _ANSWERS},
        "types": _counted(message.message_type for message in messages),
        "versions": _counted(message.version for message in messages),
        "remarks": [_remark(one) for one in checking.summed(checked)],
    }


def page(report: Tree) -> str:
    """Return what `as_tree` returned as a page of HTML."""
    environment = Environment(
        autoescape=True,
        loader=PackageLoader("portal_api.pages"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    groups = [
        (title, found)
        for kind, title in checking.KINDS.items()
        if (found := [one for one in report["remarks"] if one["kind"] == kind])
    ]
    template = environment.get_template("papers/feed_check.jinja")
    return template.render(report=report, groups=groups, answers=_ANSWERS)


def _counted(values: Any) -> dict[str, int]:
    return {name or "none": count for name, count in Counter(values).most_common()}


def _remark(one: Summed) -> Tree:
    return {
        "kind": one.kind,
        "code": one.code,
        "table_0357": checking.condition(one.code),
        "field": one.address,
        "text": one.text,
        "messages": one.messages,
        "times": one.times,
        "examples": one.examples,
    }
