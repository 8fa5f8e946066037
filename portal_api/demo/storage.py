"""Where the demonstration keeps what it makes: fresh each time, and nobody else's.

It uses the settings of any portal, so that every other command finds it; a database, or a folder
with published checkpoints, that is not a demonstration's own is left alone, and the start refused.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fhir_server.audit.publication import CHECKPOINTS
from portal_api import control
from portal_api.control import ControlRefused
from portal_api.demo.ports import free_port
from portal_api.migrations import demonstration
from portal_api.running import NotStarted
from portal_api.settings import Address, Settings

MARKER = "DEMONSTRATION"
_MARK = "What is in this folder is a demonstration's, made anew each time it starts.\n"
_FOLDER = "checkpoints"


def refuse_open_doors(settings: Settings) -> None:
    """Raise NotStarted unless every address is this machine's alone."""
    tls = settings.mllp_tls
    for name, address in (
        ("PORTAL_HTTP_ADDRESS", settings.http),
        ("PORTAL_MLLP_ADDRESS", settings.mllp),
        ("PORTAL_MLLP_TLS_ADDRESS", tls.address if tls else settings.mllp),
    ):
        if not address.is_loopback:
            raise NotStarted(
                f"The demonstration listens on this machine alone: {name} is {address}; "
                f"make it a loopback address, such as 127.0.0.1:{address.port}."
            )


def renew(settings: Settings) -> None:
    """Leave an empty database and no checkpoints. Raises NotStarted where they are not ours."""
    _refuse_running(settings)
    folder = settings.data_dir / _FOLDER
    marker = settings.data_dir / MARKER
    if (folder / CHECKPOINTS).exists() and not marker.exists():
        raise NotStarted(
            f"PORTAL_DATA_DIR={settings.data_dir} holds the checkpoints of a portal that is no "
            "demonstration: they are left alone. Name another folder."
        )
    try:
        demonstration.renew(settings.database_url)
    except demonstration.NotADemonstration as error:
        raise NotStarted(str(error)) from error
    shutil.rmtree(folder, ignore_errors=True)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker.write_text(_MARK, encoding="utf-8")


@contextmanager
def for_a_check(settings: Settings) -> Iterator[Settings]:
    """Give settings with storage of their own, on free ports; all of it is gone afterwards.

    On SQLite a file in a temporary folder; on PostgreSQL a schema in the database of *settings*.
    """
    with tempfile.TemporaryDirectory(prefix="portal-check-") as name:
        http, mllp = (Address("127.0.0.1", free_port()) for _ in range(2))
        own = replace(
            settings, http=http, mllp=mllp, public_url=f"http://{http}", data_dir=Path(name)
        )
        if settings.is_sqlite:
            yield replace(own, database_url=f"sqlite:///{name}/check.db")
        else:
            with demonstration.apart(settings.database_url) as url:
                yield replace(own, database_url=url)


def _refuse_running(settings: Settings) -> None:
    try:
        answer = control.ask(settings.data_dir, {"command": "demo-is-here"})
    except ControlRefused:
        answer = False
    if answer is not None:
        raise NotStarted(
            f"A portal is running with PORTAL_DATA_DIR={settings.data_dir}: stop it first."
        )
