"""Migrated databases, made once and copied for each hub: an SQLite file, or a PostgreSQL template."""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
PG = os.environ.get("HUB_FAULT_PG", "postgres://postgres@127.0.0.1:5432/postgres")
SECRET = "a long secret of DACS for the fault tests"  # its log-in at the hub
_numbers = itertools.count(1)


def hub_environment(var: Path, **more: str) -> dict[str, str]:
    """The environment of a hub's process: nothing of this test run's own hub comes along."""
    ours = ("DATABASE_URL", "Q_REDIS_URL", "HUB_", "DJANGO_", "EMAIL_URL", "PAYLOAD_STORE", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **kept,
        "HUB_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "hub.settings",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def _migrate(environment: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    done = subprocess.run(
        command, check=False, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]


class Sqlite:
    """A migrated hub folder; each hub gets a copy."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template"
        self._template.mkdir(parents=True)
        _migrate(hub_environment(self._template))

    def copy(self, var: Path) -> dict[str, str]:
        """A hub folder with a database of its own; what its processes' environment has to say of it."""
        shutil.copytree(self._template, var)
        return {}

    def drop(self, environment: dict[str, str]) -> None:
        """It goes with the test's folder."""

    def close(self) -> None:
        """It goes with the session's folder."""


class Postgres:
    """A migrated template on a server that runs already; each hub gets a database made from it."""

    name = "postgres"

    def __init__(self, folder: Path, server: str = PG) -> None:
        """`server`: URL of a database there."""
        self._server = server
        self._folder = folder / "pg-template"
        self._folder.mkdir(parents=True)
        self._template = f"hub_fault_{os.getpid()}_template"
        self._do(f"CREATE DATABASE {self._template}")
        try:
            _migrate(hub_environment(self._folder, DATABASE_URL=self._url(self._template)))
        except BaseException:
            self.close()
            raise

    @staticmethod
    def unreachable() -> str:
        """Why there is no server to test with; blank where there is one."""
        try:
            psycopg.connect(PG, connect_timeout=3).close()
        except psycopg.OperationalError as error:
            return f"No PostgreSQL at {urlsplit(PG).hostname}:{urlsplit(PG).port}: {error}".strip()
        return ""

    def copy(self, var: Path) -> dict[str, str]:
        """As with SQLite; the database is on the server."""
        shutil.copytree(self._folder, var)
        name = f"hub_fault_{os.getpid()}_{next(_numbers)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return {"DATABASE_URL": self._url(name)}

    def drop(self, environment: dict[str, str]) -> None:
        """The database of one hub, with whoever is still connected."""
        self._do(f"DROP DATABASE IF EXISTS {urlsplit(environment['DATABASE_URL']).path[1:]} WITH (FORCE)")

    def close(self) -> None:
        """The template."""
        self._do(f"DROP DATABASE IF EXISTS {self._template} WITH (FORCE)")

    def _url(self, name: str) -> str:
        return urlsplit(self._server)._replace(path=f"/{name}").geturl()

    def _do(self, statement: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # names are ours; DDL takes no parameters


def database(name: str, folder: Path) -> Sqlite | Postgres:
    """The template of this name; skips the test where PostgreSQL cannot be reached."""
    if name == "sqlite":
        return Sqlite(folder)
    if reason := Postgres.unreachable():
        pytest.skip(reason)
    return Postgres(folder)
