"""Settings work without any being set, and a wrong one stops the start with a sentence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.intake.certificates import CertificateFiles
from portal_api.settings import (
    DEFAULTS,
    Address,
    MllpTls,
    Settings,
    SettingWrong,
    from_environment,
)


def test_everything_has_a_working_default() -> None:
    assert from_environment({}) == Settings(
        database_url="sqlite:///var/portal.db",
        http=Address("127.0.0.1", 8000),
        mllp=Address("127.0.0.1", 2575),
        public_url="http://127.0.0.1:8000",
        data_dir=Path.cwd() / "var",
    )


def test_every_setting_can_be_given(tmp_path) -> None:
    settings = from_environment(
        {
            "PORTAL_DATABASE_URL": "postgresql://portal:s%40crt@db/portal",
            "PORTAL_HTTP_ADDRESS": "[::1]:9000",
            "PORTAL_MLLP_ADDRESS": "0.0.0.0:0",
            "PORTAL_PUBLIC_URL": "https://portal.example/care/",
            "PORTAL_DATA_DIR": str(tmp_path),
            "HOME": "/nowhere",
        }
    )
    assert settings == Settings(
        database_url="postgresql+psycopg://portal:s%40crt@db/portal",
        http=Address("::1", 9000),
        mllp=Address("0.0.0.0", 0),
        public_url="https://portal.example/care",
        data_dir=tmp_path,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_DATABASE_URL", ""),
        ("PORTAL_DATABASE_URL", "portal.db"),
        ("PORTAL_DATABASE_URL", "sqlite://"),
        ("PORTAL_DATABASE_URL", "sqlite:///:memory:"),
        ("PORTAL_DATABASE_URL", "mysql://portal@db/portal"),
        ("PORTAL_DATABASE_URL", "postgresql+asyncpg://portal@db/portal"),
        ("PORTAL_HTTP_ADDRESS", ""),
        ("PORTAL_HTTP_ADDRESS", "8000"),
        ("PORTAL_HTTP_ADDRESS", ":8000"),
        ("PORTAL_HTTP_ADDRESS", "127.0.0.1:65536"),
        ("PORTAL_HTTP_ADDRESS", "127.0.0.1:-1"),
        ("PORTAL_MLLP_ADDRESS", "127.0.0.1:http"),
        ("PORTAL_MLLP_ADDRESS", "127.0.0.1:٢٥٧٥"),
        ("PORTAL_PUBLIC_URL", ""),
        ("PORTAL_PUBLIC_URL", "portal.example"),
        ("PORTAL_PUBLIC_URL", "ftp://portal.example"),
        ("PORTAL_PUBLIC_URL", "https://"),
        ("PORTAL_PUBLIC_URL", "https://portal.example:port"),
        ("PORTAL_PUBLIC_URL", "https://portal.example/?a=b"),
        ("PORTAL_PUBLIC_URL", "https://someone@portal.example/"),
        ("PORTAL_DATA_DIR", ""),
        ("PORTAL_DATA_DIR", "/etc/hostname"),
    ],
)
def test_a_wrong_value_stops_the_start_with_a_sentence_that_names_it(name: str, value: str) -> None:
    with pytest.raises(SettingWrong, match=rf"^{name}[ ].*\.$"):
        from_environment({name: value})


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, str]:
    """The settings of a TLS door; its files are there, and nobody has looked into them."""
    for name in ("portal.crt", "portal.key", "authorities.pem"):
        (tmp_path / name).touch()
    return {
        "PORTAL_MLLP_TLS_ADDRESS": "0.0.0.0:2576",
        "PORTAL_MLLP_TLS_CERTIFICATE": str(tmp_path / "portal.crt"),
        "PORTAL_MLLP_TLS_KEY": str(tmp_path / "portal.key"),
        "PORTAL_MLLP_TLS_CLIENT_CA": str(tmp_path / "authorities.pem"),
    }


def test_a_tls_door_has_an_address_and_three_files(tls: dict[str, str], tmp_path: Path) -> None:
    files = CertificateFiles(
        tmp_path / "portal.crt", tmp_path / "portal.key", tmp_path / "authorities.pem"
    )
    assert from_environment(tls).mllp_tls == MllpTls(Address("0.0.0.0", 2576), files)


@pytest.mark.parametrize(
    "name",
    [
        "PORTAL_MLLP_TLS_ADDRESS",
        "PORTAL_MLLP_TLS_CERTIFICATE",
        "PORTAL_MLLP_TLS_KEY",
        "PORTAL_MLLP_TLS_CLIENT_CA",
    ],
)
def test_half_a_tls_door_stops_the_start_with_a_sentence_that_names_what_is_missing(
    tls: dict[str, str], name: str
) -> None:
    with pytest.raises(SettingWrong, match=rf"^PORTAL_MLLP_TLS_\w+ is set without {name}: "):
        from_environment(tls | {name: ""})
    with pytest.raises(SettingWrong, match=rf"^{name} .*\.$"):
        from_environment(tls | {name: "nowhere"})


def test_an_unknown_setting_is_refused_by_name() -> None:
    with pytest.raises(SettingWrong, match=r"^PORTAL_HTTP_ADRESS is no setting of Portal FHIR; "):
        from_environment({"PORTAL_HTTP_ADRESS": "127.0.0.1:8000"})


def test_a_secret_may_stand_in_a_file(tmp_path) -> None:
    secret = tmp_path / "database_url"
    secret.write_text("postgresql://portal:secret@db/portal\n")
    settings = from_environment({"PORTAL_DATABASE_URL_FILE": str(secret)})
    assert settings.database_url == "postgresql+psycopg://portal:secret@db/portal"


def test_a_secret_that_cannot_be_read_or_stands_twice_is_refused(tmp_path) -> None:
    with pytest.raises(SettingWrong, match=r"^PORTAL_DATABASE_URL_FILE names a file that cannot"):
        from_environment({"PORTAL_DATABASE_URL_FILE": str(tmp_path / "missing")})
    twice = {"PORTAL_DATABASE_URL_FILE": "a", "PORTAL_DATABASE_URL": "sqlite:///a.db"}
    with pytest.raises(SettingWrong, match="are both set"):
        from_environment(twice)


def test_a_password_shows_neither_in_repr_nor_in_a_refusal() -> None:
    url = "postgresql://portal:hunter2@db/portal"
    assert "hunter2" not in repr(from_environment({"PORTAL_DATABASE_URL": url}))
    for wrong in ("mysql://portal:hunter2@db/portal", "postgresql://portal:hunter2@db"):
        with pytest.raises(SettingWrong) as refused:
            from_environment({"PORTAL_DATABASE_URL": wrong})
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("localhost.example", False),
    ],
)
def test_a_loopback_address_is_known_as_one(host: str, loopback: bool) -> None:
    assert Address(host, 1).is_loopback is loopback


@given(st.sampled_from(sorted(DEFAULTS)), st.text() | st.text(min_size=300))
def test_any_text_gives_settings_or_a_sentence_naming_its_variable(name: str, text: str) -> None:
    try:
        sentence = repr(from_environment({name: text}))
    except SettingWrong as wrong:
        sentence = str(wrong)
    assert sentence.startswith((name, "Settings("))
