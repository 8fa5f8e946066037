"""What a check of the demonstration found, line by line: which job, what was asked, how it went."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from adapters.intake.sending import NoAnswer
from fhir_server.errors import FhirError
from fhir_server.model import json
from portal_api.control import ControlRefused
from portal_api.demo.browser import PageWrong
from portal_api.demo.running import Stage
from portal_api.portal import Portal

Tree = dict[str, Any]
_JSON = {"Accept": "application/fhir+json"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; *problem* is empty where it is as it should be."""

    job: str
    what: str
    problem: str = ""


@dataclass(slots=True)
class Findings:
    """All that was found so far, in order."""

    job: str = ""
    lines: list[Finding] = field(default_factory=list)

    def expect(self, what: str, *, found: object, wanted: object) -> None:
        """Note whether *found* is what was *wanted*."""
        problem = "" if found == wanted else f"found {_short(found)}, not {_short(wanted)}"
        self.lines.append(Finding(self.job, what, problem))

    def ensure(self, what: str, holds: object) -> None:
        """Note whether something holds that ought to."""
        self.lines.append(Finding(self.job, what, "" if holds else "it does not"))

    @property
    def sound(self) -> bool:
        """Whether something was found, and none of it is wrong."""
        return bool(self.lines) and not any(one.problem for one in self.lines)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a check works on: the running demonstration, as it is reached from outside."""

    portal: Portal
    stage: Stage

    @property
    def address(self) -> str:
        """Where the portal is."""
        return self.portal.settings.public_url

    def fhir(self, token: str, path: str) -> httpx.Response:
        """Ask the FHIR interface for *path* with *token*."""
        headers = {**_JSON, "Authorization": f"Bearer {token}"}
        return httpx.get(f"{self.address}/fhir/{path}", headers=headers)

    def found(self, token: str, path: str) -> list[Tree]:
        """Return the matches of a search. Raises PageWrong where it is not answered."""
        answer = self.fhir(token, path)
        if answer.status_code != 200:
            raise PageWrong(
                f"GET /fhir/{path.partition('?')[0]} was answered with {answer.status_code}."
            )
        entries = json.decode(answer.content).get("entry", ())
        return [one["resource"] for one in entries if one["search"]["mode"] == "match"]


Job = Callable[[Scene, Findings], None]
_EXPECTED = (PageWrong, NoAnswer, ControlRefused, FhirError, httpx.HTTPError, OSError, LookupError)


def carried_out(name: str, job: Job, scene: Scene, findings: Findings) -> None:
    """Do the *job*, and note what broke it off, if something does."""
    findings.job = name
    try:
        job(scene, findings)
    except _EXPECTED as error:
        text = str(error) or type(error).__name__
        findings.lines.append(Finding(name, "goes on to its end", text))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
