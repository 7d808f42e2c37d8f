"""A throw-away PostgreSQL database for one part, where a server can be reached."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

SERVER = os.environ.get("BENCH_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")


def postgres_trouble() -> str:
    """Why there is no PostgreSQL to measure on, "" where there is one (BENCH_POSTGRES names another)."""
    try:
        psycopg.connect(SERVER, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return f"No PostgreSQL at {urlsplit(SERVER).hostname}:{urlsplit(SERVER).port}: {error}".strip()
    return ""


@contextmanager
def postgres_database() -> Iterator[str]:
    """The URL of a new database, dropped in the end with whoever is still connected."""
    name = f"busbar_bench_{secrets.token_hex(6)}"
    _do(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(SERVER)._replace(path=f"/{name}").geturl()
    finally:
        _do(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _do(statement: sql.Composed) -> None:
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(statement)
