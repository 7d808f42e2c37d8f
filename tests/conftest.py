"""What every test has: loopback only, a payload store and a cache of its own, and no skip that goes unnoticed in CI."""

import errno
import os
import socket
from ipaddress import ip_address
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase

from tests.database import Copy

CI = os.environ.get("CI", "").lower() == "true"
# Reasons a test may be skipped for even in CI; a machine that runs CI has everything, so there are none.
ALLOWED_SKIPS: tuple[str, ...] = ()
_skipped: list[str] = []
_connect, _getaddrinfo = socket.socket.connect, socket.getaddrinfo


def _is_loopback(host: object) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _guarded_connect(self: socket.socket, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
        raise OSError(errno.ENETUNREACH, f"Tests reach the loopback network only, not {address[0]}")
    return _connect(self, address)


def _guarded_getaddrinfo(host, *args, **kwargs):
    numeric = isinstance(host, str) and host.replace(".", "").replace(":", "").isalnum() and _is_address(host)
    if not (_is_loopback(host) or numeric):
        raise socket.gaierror(socket.EAI_NONAME, f"Tests know no host but localhost, not {host!r}")
    return _getaddrinfo(host, *args, **kwargs)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@pytest.fixture(scope="session", autouse=True)
def _loopback_only():
    """A name other than localhost does not resolve, and no address but a loopback one is reached."""
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _guarded_connect)
    patch.setattr(socket, "getaddrinfo", _guarded_getaddrinfo)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _own_settings(settings, tmp_path: Path):
    """Fast password hashes, no scan of static files, and a payload store nobody else writes to."""
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "hub.hashers.MachineSecretHasher",
    ]
    settings.WHITENOISE_USE_FINDERS = False
    settings.SECURE_SSL_REDIRECT = False
    (tmp_path / "payloads").mkdir()
    settings.PAYLOAD_STORE = f"file://{tmp_path / 'payloads'}"
    cache.clear()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """SQLite does not wait for the disk: what a power cut leaves is tested elsewhere, in processes of their own."""
    options = connection.settings_dict["OPTIONS"]
    if "init_command" in options:
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Tests that commit put back a copy; afterwards a thread whose session is still open must not keep PostgreSQL
    from dropping the test database."""
    with django_db_blocker.unblock():
        copy = Copy()
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: copy.put_back())
    yield
    patch.undo()
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


def _note_skip(report) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not any(allowed in reason for allowed in ALLOWED_SKIPS):
        _skipped.append(f"{report.nodeid}: {reason}")


def pytest_runtest_logreport(report):
    _note_skip(report)


def pytest_collectreport(report):
    _note_skip(report)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    """Where CI=true, a test that did not run is a failure: the machine lacks what .ci/run should have installed."""
    if CI and _skipped and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    if CI and _skipped:
        terminalreporter.section("Skipped in CI, which fails the run")
        for line in _skipped:
            terminalreporter.line(line)
