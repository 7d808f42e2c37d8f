"""Connections as an attempt finds them: what was edited counts at once, however the row is asked for (seed 001
chapter 5: credentials are changed in the console while flows run)."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from integrations.engine.connections import connection_endpoint, connection_named
from integrations.engine.faults import ConnectionUnusable
from integrations.models import Connection, TrustCertificate

NAME = "A TARGET"


@pytest.fixture
def target(db) -> Connection:
    secrets: Any = {"password": "first"}
    return Connection.objects.create(
        name=NAME, adapter="rest", settings={"url": "http://one"}, secrets=secrets
    )


def test_an_edited_connection_counts_at_once(target: Connection):
    before = connection_endpoint(connection_named(NAME))
    target.settings, target.secrets, target.read_timeout = {"url": "http://two"}, {"password": "second"}, 7
    target.save()
    after = connection_endpoint(connection_named(NAME))
    assert (before.settings, before.secrets) == ({"url": "http://one"}, {"password": "first"})
    assert (after.settings, after.secrets) == ({"url": "http://two"}, {"password": "second"})
    assert after.read_timeout == 7


def test_so_does_an_edit_without_a_signal_or_a_new_date(target: Connection):
    connection_named(NAME)
    Connection.objects.filter(name=NAME).update(secrets={"password": "third"})
    assert connection_named(NAME).secrets == {"password": "third"}
    Connection.objects.filter(name=NAME).update(secrets={})
    assert connection_named(NAME).secrets == {}


def test_a_trust_certificate_counts_from_when_it_is_added_to_when_it_is_removed(target: Connection):
    assert connection_endpoint(connection_named(NAME)).trust == ()
    certificate = TrustCertificate.objects.create(
        alias="theirs", pem="-----BEGIN…", not_before=timezone.now(), not_after=timezone.now()
    )
    target.trust.add(certificate)
    assert connection_endpoint(connection_named(NAME)).trust == ("-----BEGIN…",)
    target.trust.clear()
    assert connection_endpoint(connection_named(NAME)).trust == ()


def test_a_connection_without_certificates_is_one_question(target: Connection, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = connection_endpoint(connection_named(NAME))
    assert found.secrets == {"password": "first"}


def test_what_one_reader_changes_no_other_sees(target: Connection):
    connection_named(NAME).secrets["password"] = "changed in memory"
    assert connection_named(NAME).secrets == {"password": "first"}


def test_a_row_found_like_this_can_be_saved(target: Connection):
    row = connection_named(NAME)
    row.secrets = {"password": "saved"}
    row.save()
    assert Connection.objects.get(name=NAME).secrets == {"password": "saved"}


def test_a_key_that_is_dropped_opens_nothing_more(target: Connection, settings):
    connection_named(NAME)
    settings.HUB_FERNET_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ConnectionUnusable, match="HUB_FERNET_KEYS"):
        connection_named(NAME)


def test_a_missing_one_is_named(db):
    with pytest.raises(ConnectionUnusable, match="There is no connection 'NO SUCH'"):
        connection_named("NO SUCH")
