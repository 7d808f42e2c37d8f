"""Clients: made, given new credentials, shut out."""

import pytest
from oauth2_provider.models import AccessToken, Application

from integrations.engine.faults import Conflict, InvalidMessage
from integrations.models import AuditEntry, Client, Flow
from integrations.services.client_create import client_create
from integrations.services.client_disable import client_disable, client_enable
from integrations.services.client_rotate import client_rotate_api_key, client_rotate_secret
from tests.unit.api.conftest import ACK, SECRET, TRANSFER

pytestmark = pytest.mark.django_db


def token(client, secret=SECRET, client_id="dacs"):
    data = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return client.post("/o/token/", data)


def test_a_client_is_made_with_its_flows_and_a_long_secret():
    made = client_create(client_id="derms", flows=[ACK, Flow.objects.get(identifier=TRANSFER)], name="DERMS")
    assert len(made.secret) >= 40
    assert made.api_key == ""
    assert {flow.identifier for flow in made.client.flows.all()} == {ACK, TRANSFER}


def test_neither_secret_nor_key_is_stored_or_shown():
    made = client_create(client_id="derms", api_key=True)
    stored = str(Client.objects.values().get()) + str(Application.objects.values().get()) + repr(made)
    stored += str(list(AuditEntry.objects.values()))
    assert made.secret not in stored
    assert made.api_key not in stored


@pytest.mark.parametrize("client_id", ["", "a:b", "a b", "x" * 101, "-a", "a\n"])
def test_an_id_that_headers_cannot_carry_is_refused(client_id):
    with pytest.raises(InvalidMessage, match="is no client id"):
        client_create(client_id=client_id)


def test_a_secret_that_could_be_guessed_is_refused():
    with pytest.raises(InvalidMessage, match="at least 24 characters"):
        client_create(client_id="derms", secret="short")
    assert not Client.objects.exists()


def test_an_unknown_flow_is_refused_by_name():
    with pytest.raises(InvalidMessage, match="There is no flow NO-SUCH"):
        client_create(client_id="derms", flows=["NO-SUCH"])


def test_an_id_is_given_once(dacs):
    with pytest.raises(Conflict, match="a client dacs already"):
        client_create(client_id="dacs")


def test_making_a_client_is_audited(dacs):
    entry = AuditEntry.objects.get(action="client_create")
    assert (entry.actor, entry.subject) == ("system", "client:dacs")
    assert entry.detail == {"flows": [TRANSFER, ACK], "api_key": True}


def test_the_same_id_and_secret_get_a_token(client, dacs):
    answer = token(client)
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["scope"] == "flows"


def test_a_wrong_secret_gets_no_token(client, dacs):
    assert token(client, secret="another-secret-of-30-characters").status_code == 401


def test_tokens_are_kept_hashed(client, dacs):
    given = token(client).json()["access_token"]
    assert given not in str(AccessToken.objects.values().get())


def test_a_new_secret_ends_the_old_one_and_its_tokens(client, dacs):
    token(client)
    new = client_rotate_secret(client=dacs.client, actor="anna")
    assert not AccessToken.objects.exists()
    assert token(client).status_code == 401
    assert token(client, secret=new).status_code == 200
    assert AuditEntry.objects.get(action="client_rotate_secret").actor == "anna"


def test_a_new_api_key_ends_the_old_one(dacs):
    before = dacs.client.api_key_hash
    key = client_rotate_api_key(client=dacs.client, actor="anna")
    dacs.client.refresh_from_db()
    assert dacs.client.api_key_hash not in (before, key)


def test_a_disabled_client_loses_its_tokens_and_gets_none(client, dacs):
    token(client)
    client_disable(client=dacs.client, actor="anna", reason="moved")
    assert not AccessToken.objects.exists()
    assert token(client).status_code == 401
    assert AuditEntry.objects.get(action="client_disable").detail == {"reason": "moved"}


def test_an_enabled_client_gets_tokens_with_the_secret_it_had(client, dacs):
    client_disable(client=dacs.client, actor="anna")
    client_enable(client=dacs.client, actor="anna")
    assert token(client).status_code == 200
    assert AuditEntry.objects.filter(action="client_enable").count() == 1
