"""The settings: read from the environment once, here alone, judged before anything starts.

A secret may also stand in a file: `PORTAL_DATABASE_URL_FILE=/run/secrets/database_url` is read as
`PORTAL_DATABASE_URL`. A `PORTAL_` variable that no setting has is refused by name, so that a
slip of the pen is not silently the default.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from adapters.intake.certificates import CertificateFiles

DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "PORTAL_DATABASE_URL": "sqlite:///var/portal.db",
        "PORTAL_HTTP_ADDRESS": "127.0.0.1:8000",
        "PORTAL_MLLP_ADDRESS": "127.0.0.1:2575",
        "PORTAL_MLLP_TLS_ADDRESS": "",
        "PORTAL_MLLP_TLS_CERTIFICATE": "",
        "PORTAL_MLLP_TLS_KEY": "",
        "PORTAL_MLLP_TLS_CLIENT_CA": "",
        "PORTAL_PUBLIC_URL": "http://127.0.0.1:8000",
        "PORTAL_DATA_DIR": "var",
    }
)
SECRET = frozenset({"PORTAL_DATABASE_URL"})
"""The settings that may be given as a file: NAME_FILE holds its path."""

_TLS = "PORTAL_MLLP_TLS_"
_DRIVERS: Mapping[str, str] = MappingProxyType(
    {
        "postgresql": "postgresql+psycopg",
        "postgresql+psycopg": "postgresql+psycopg",
        "sqlite": "sqlite",
    }
)


class SettingWrong(Exception):
    """A setting is not usable; the text is a sentence that names its variable."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens. Port 0 lets the operating system choose one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Tell whether only programs on this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        """Return it as it is written: an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MllpTls:
    """Where messages are taken over TLS, and the files that it needs."""

    address: Address
    files: CertificateFiles


@dataclass(frozen=True, slots=True)
class Settings:
    """What whoever runs the portal decides, judged: nothing of it has to be checked again."""

    database_url: str
    """`sqlite:///…` or `postgresql+psycopg://…`, perhaps with a password in it: never printed."""
    http: Address
    mllp: Address
    public_url: str
    """What links start with: scheme and authority, perhaps a path, no slash at the end."""
    data_dir: Path
    """Where what is not in the database is kept: published checkpoints, the signing key."""
    mllp_tls: MllpTls | None = None

    def __repr__(self) -> str:
        """Leave out the database's password."""
        return f"Settings(http={self.http}, mllp={self.mllp}, public_url={self.public_url!r})"

    @property
    def is_sqlite(self) -> bool:
        """Tell whether the database is the embedded one, which one process writes."""
        return self.database_url.startswith("sqlite")


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings that *environ* gives, by default the process's environment.

    Raises SettingWrong for a value that is not usable and for an unknown `PORTAL_` variable.
    """
    values = _values(os.environ if environ is None else environ)
    return Settings(
        database_url=_database_url(values["PORTAL_DATABASE_URL"]),
        http=_address("PORTAL_HTTP_ADDRESS", values["PORTAL_HTTP_ADDRESS"]),
        mllp=_address("PORTAL_MLLP_ADDRESS", values["PORTAL_MLLP_ADDRESS"]),
        public_url=_public_url(values["PORTAL_PUBLIC_URL"]),
        data_dir=_data_dir(values["PORTAL_DATA_DIR"]),
        mllp_tls=_mllp_tls(values),
    )


def _values(environ: Mapping[str, str]) -> dict[str, str]:
    files = {f"{name}_FILE": name for name in SECRET}
    given = {name: value for name, value in environ.items() if name.startswith("PORTAL_")}
    unknown = sorted(given.keys() - DEFAULTS.keys() - files.keys())
    if unknown:
        known = ", ".join(DEFAULTS)
        raise SettingWrong(f"{unknown[0]} is no setting of Portal FHIR; the settings are {known}.")
    for file_name, name in files.items():
        if file_name in given:
            if name in given:
                raise SettingWrong(f"{name} and {file_name} are both set; keep one of them.")
            given[name] = _content(file_name, given.pop(file_name))
    return {name: given.get(name, default) for name, default in DEFAULTS.items()}


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingWrong(f"{name} names a file that cannot be read: {path}.") from error


def _database_url(text: str) -> str:
    # The value itself stays out of the sentences: it may hold a password.
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise SettingWrong("PORTAL_DATABASE_URL is not the URL of a database.") from error
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise SettingWrong("PORTAL_DATABASE_URL must start with sqlite:/// or postgresql://.")
    if not url.database or url.database == ":memory:":
        raise SettingWrong("PORTAL_DATABASE_URL names no database; SQLite needs a file.")
    return url.set(drivername=driver).render_as_string(hide_password=False)


def _address(name: str, text: str) -> Address:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65535):
        example = DEFAULTS[name] or "0.0.0.0:2576"
        raise SettingWrong(f"{name} must be host:port, such as {example}; it is {text!r}.")
    return Address(host, int(port))


def _mllp_tls(values: Mapping[str, str]) -> MllpTls | None:
    """Return the TLS door; None where none of its settings is set. All of them, or none."""
    names = [name for name in DEFAULTS if name.startswith(_TLS)]
    given = {name: values[name] for name in names if values[name]}
    if not given:
        return None
    address = given.pop(names[0], "")
    judged = _address(names[0], address) if address else None
    paths = {name.removeprefix(_TLS).lower(): _file(name, path) for name, path in given.items()}
    missing = [name for name in names if not values[name]]
    if judged is None or missing:
        first = next(name for name in names if values[name])
        raise SettingWrong(f"{first} is set without {missing[0]}: TLS needs all four of them.")
    return MllpTls(judged, CertificateFiles(**paths))


def _file(name: str, text: str) -> Path:
    path = Path(text)
    try:
        usable = path.is_file()
    except (OSError, ValueError):
        usable = False
    if not usable:
        raise SettingWrong(f"{name} names no file: {text!r}.")
    return path.absolute()


def _public_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    else:
        usable = usable and not (parts.query or parts.fragment or parts.username)
    if not usable:
        raise SettingWrong(
            f"PORTAL_PUBLIC_URL must be http(s)://, a host, perhaps a path; it is {text!r}."
        )
    return text.rstrip("/")


def _data_dir(text: str) -> Path:
    path = Path(text)
    try:
        usable = bool(text) and (path.is_dir() or not path.exists())
    except (OSError, ValueError):
        usable = False
    if not usable:
        raise SettingWrong(f"PORTAL_DATA_DIR must be a folder; it is {text!r}.")
    return path.absolute()
