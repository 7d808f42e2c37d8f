"""Clients: made with a secret shown once, rotated, shut out; the secret is nowhere else."""

import re

import pytest
from django.urls import reverse

from integrations import models
from tests import factories
from tests.unit.admin.conftest import page_of, text_of

ADD = "admin:integrations_client_add"


@pytest.fixture
def flow(db):
    return models.Flow.objects.get(identifier="OUTL-BA-DACS_CCS_CUST_SYNC_ACK")


def _secret(page, label="Secret"):
    [secret] = re.findall(rf"<dt>{label}</dt><dd><code[^>]*>([^<]+)</code>", page)
    return secret


@pytest.fixture
def made(admin, flow):
    """A new client and its secret."""
    posted = {"client_id": "DACS", "name": "DACS", "flows": [flow.pk], "with_api_key": "on"}
    page = text_of(admin.post(reverse(ADD), posted))
    return models.Client.objects.get(client_id="DACS"), _secret(page), _secret(page, "API key")


def test_a_new_client_has_its_flows_and_a_secret(made, flow):
    client, secret, key = made
    assert list(client.flows.all()) == [flow]
    assert client.application is not None
    assert min(len(secret), len(key)) >= 24


def test_the_secret_is_shown_once(admin, made):
    client, secret, key = made
    for name in ("change", "history"):
        page = text_of(admin.get(page_of(client, name)))
        assert secret not in page
        assert key not in page
    rows = f"{list(models.AuditEntry.objects.values())} {list(client.history.values())} {client.__dict__}"
    assert secret not in rows
    assert key not in rows


@pytest.mark.parametrize(
    ("client_id", "said"), [("with space", "Letters, digits"), ("DACS", "already exists")]
)
def test_an_id_that_will_not_do_is_said(admin, made, client_id, said):
    answer = admin.post(reverse(ADD), {"client_id": client_id})
    assert said in text_of(answer)
    assert models.Client.objects.count() == 1


def test_rotating_shows_the_new_secret_and_ends_the_old(admin, made):
    client, secret, _ = made
    before = client.secret_hash
    page = text_of(admin.post(page_of(client, "rotate_secret")))
    client.refresh_from_db()
    assert _secret(page) != secret
    assert client.secret_hash != before


def test_disable_and_enable(admin, made):
    client, _, _ = made
    admin.post(page_of(client, "disable"))
    client.refresh_from_db()
    assert not client.enabled
    admin.post(page_of(client, "enable"))
    client.refresh_from_db()
    assert client.enabled


def test_a_change_of_flows_is_audited_and_the_id_stays(admin, made):
    client, _, _ = made
    admin.post(page_of(client), {"client_id": "other", "name": "new name", "flows": []})
    client.refresh_from_db()
    assert (client.client_id, client.name, client.flows.count()) == ("DACS", "new name", 0)
    assert models.AuditEntry.objects.get(action="client_change").detail["flows"] == []


def test_a_configurator_cannot_make_clients(configurator):
    client = factories.ClientFactory()
    assert configurator.post(reverse(ADD), {"client_id": "mine"}).status_code == 403
    assert configurator.post(page_of(client, "rotate_secret")).status_code == 403
