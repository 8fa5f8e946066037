"""The check of the four jobs: the demonstration on fresh storage, visited by real clients."""

import signal
from collections.abc import Callable

from fhir_server import clock
from portal_api.demo import running
from portal_api.demo.cast import accounts, cast
from portal_api.demo.check_app import pulls
from portal_api.demo.check_audit import audited
from portal_api.demo.check_hospital import pushes
from portal_api.demo.check_messages import messages
from portal_api.demo.findings import Findings, Scene, carried_out
from portal_api.demo.running import Stage, Told
from portal_api.demo.storage import for_a_check, renew
from portal_api.opening import opened
from portal_api.portal import Portal
from portal_api.settings import Settings

JOBS = (
    ("1 A hospital pushes a result", pushes),
    ("2 A patient's app pulls results", pulls),
    ("3 A clinician messages a patient", messages),
    ("4 An auditor reviews accesses", audited),
)


def check(settings: Settings, told: Told, *, durable: bool = True) -> Findings:
    """Run the demonstration on storage of its own, do each job, and return what was found.

    *durable* False: on a database that may lose what it acknowledged, as tests have it.
    """
    findings = Findings()

    def all_jobs(portal: Portal, stage: Stage) -> None:
        scene = Scene(portal, stage)
        for name, job in JOBS:
            carried_out(name, job, scene, findings)
        signal.raise_signal(signal.SIGTERM)

    with for_a_check(settings) as own:
        play(own, all_jobs, told, durable=durable)
    return findings


def play(
    settings: Settings, then: Callable[[Portal, Stage], None], told: Told, *, durable: bool = True
) -> None:
    """Renew the storage of *settings*, run the demonstration on it, and call *then* in it."""
    renew(settings)
    now = clock.now()
    with opened(settings, durable=durable, demo_accounts=accounts(now)) as portal:
        running.seed(portal)
        running.run(portal, Stage(cast(now)), then, told)
