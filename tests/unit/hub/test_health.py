"""/healthz and /readyz: up, and able to work, with the reason where not."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from hub import health
from integrations.models import Heartbeat


def beat(**ago) -> Heartbeat:
    now = timezone.now()
    return Heartbeat.objects.create(
        name="beat a:1", role="beat", host="a", pid=1, started_at=now, at=now - timedelta(**ago)
    )


def reasons(client, query: str = "") -> tuple[int, dict[str, str]]:
    answer = client.get(f"/readyz{query}")
    return answer.status_code, {k: v for k, v in answer.json()["checks"].items() if v != "ok"}


def test_healthz_answers_without_the_database(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_when_everything_works(client):
    beat(seconds=3)
    assert client.get("/readyz").json() == {
        "ready": True,
        "checks": {"database": "ok", "migrations": "ok", "payload store": "ok", "worker": "ok"},
    }


@pytest.mark.django_db
def test_not_ready_without_a_worker_but_web_is(client):
    assert reasons(client) == (
        503,
        {"worker": "No worker has reported yet: start `python manage.py hub_beat`"},
    )
    assert reasons(client, "?for=web") == (200, {})


@pytest.mark.django_db
def test_a_worker_that_fell_silent_is_said_with_its_age(client):
    beat(seconds=90)
    status, found = reasons(client)
    assert status == 503
    assert found["worker"].startswith("No worker has reported for 9")


@pytest.mark.django_db
def test_a_payload_store_that_cannot_be_written_is_said(client, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.PAYLOAD_STORE = f"file://{tmp_path / 'file'}"
    status, found = reasons(client, "?for=web")
    assert status == 503
    assert "payload store" in found["payload store"]


@pytest.mark.django_db
def test_asking_leaves_nothing_in_the_payload_store(client, settings):
    client.get("/readyz")
    store = Path(settings.PAYLOAD_STORE.removeprefix("file://"))
    assert [path for path in store.rglob("*") if path.is_file()] == []


@pytest.mark.django_db
def test_migrations_that_were_not_applied_are_counted(client):
    MigrationRecorder(connection).migration_qs.filter(app="hub").delete()
    assert "run `python manage.py migrate`" in reasons(client, "?for=web")[1]["migrations"]


def test_a_database_that_is_down_is_503_and_tells_no_address(client, monkeypatch):
    def down(*_):
        raise OperationalError("connection to server at 10.1.2.3 failed, password hunter2")

    monkeypatch.setattr(connection, "cursor", down)
    monkeypatch.setattr(health, "MigrationExecutor", down)
    answer = client.get("/readyz?for=web")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "The database does not answer (OperationalError)"
    assert "10.1.2.3" not in answer.content.decode()


def test_probes_answer_whatever_the_host_header_says(client):
    assert client.get("/healthz", HTTP_HOST="10.0.0.7:8000").status_code == 200


def test_probes_are_read_only(client):
    assert client.post("/healthz").status_code == 405


def test_probes_are_not_sent_to_https(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/admin/").status_code == 301
