"""Who is let in, and that what is wrong with credentials is never told."""

import base64
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from hub.models import LoginAttempt
from integrations.api import passwords
from integrations.models import AuditEntry
from integrations.services.client_create import client_create
from integrations.services.client_disable import client_disable
from integrations.services.client_rotate import client_rotate_api_key, client_rotate_secret
from tests.unit.api.conftest import (
    ACK,
    ACK_URL,
    MONITORING,
    OTHER,
    OTHER_URL,
    PASSWORD,
    SECRET,
    basic,
    fault_of,
)
from tests.unit.api.test_clients import token

LIST = f"{MONITORING}/instances"
WRONG = "another-secret-of-30-characters"


@pytest.fixture
def post(client, services, dacs):
    def send(url=ACK_URL, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(url, data=b"{}", content_type="application/json", headers=named)

    return send


@pytest.fixture
def bearer(client, dacs):
    return f"Bearer {token(client).json()['access_token']}"


def test_each_kind_of_right_credentials_is_let_in(post, dacs, bearer):
    assert post(Authorization=basic("dacs", SECRET)).status_code == 200
    assert post(Authorization=bearer).status_code == 200
    assert post(Authorization=bearer.replace("Bearer", "bearer")).status_code == 200
    assert post(X_API_Key=dacs.api_key).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"nocolon").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        basic("dacs", ""),
        basic("", SECRET),
        basic("dacs", WRONG),
        basic("dacs", SECRET + "x"),
        basic("DACS", SECRET),
        basic("nobody", SECRET),
        basic("dacs\0", SECRET),
        basic("d" * 5000, SECRET),
        "Bearer",
        "Bearer " + SECRET,
        "Bearer \xe9\xe9",
        "Digest username=dacs",
        SECRET,
    ],
)
def test_wrong_credentials_get_one_text_and_a_challenge(post, header):
    answer = post(Authorization=header)
    body = fault_of(answer, 401, "HUB-AUTH")
    assert body["detail"] == "The credentials are missing or not valid"
    assert answer["WWW-Authenticate"].startswith('Basic realm="Busbar"')


def test_a_wrong_api_key_gets_the_same_text(post):
    assert fault_of(post(X_API_Key="no"), 401, "HUB-AUTH") == fault_of(post(), 401, "HUB-AUTH")


def test_the_authorization_header_counts_where_both_are_sent(post, dacs):
    fault_of(post(Authorization=basic("dacs", WRONG), X_API_Key=dacs.api_key), 401, "HUB-AUTH")


def test_an_empty_api_key_is_not_that_of_a_client_without_one(post):
    client_create(client_id="keyless")
    fault_of(post(X_API_Key=""), 401, "HUB-AUTH")


def test_an_expired_token_is_refused(post, bearer):
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    fault_of(post(Authorization=bearer), 401, "HUB-AUTH")


def test_a_revoked_token_is_refused(post, bearer):
    AccessToken.objects.get().revoke()
    fault_of(post(Authorization=bearer), 401, "HUB-AUTH")


def test_a_token_for_another_scope_is_refused(post, bearer):
    AccessToken.objects.update(scope="other")
    fault_of(post(Authorization=bearer), 401, "HUB-AUTH")


def test_a_disabled_client_is_refused_with_any_credentials(post, dacs, bearer):
    client_disable(client=dacs.client, actor="anna")
    fault_of(post(Authorization=basic("dacs", SECRET)), 401, "HUB-AUTH")
    fault_of(post(Authorization=bearer), 401, "HUB-AUTH")
    fault_of(post(X_API_Key=dacs.api_key), 401, "HUB-AUTH")


def test_a_client_switched_off_in_its_row_is_refused_too(post, dacs, bearer):
    type(dacs.client).objects.update(enabled=False)
    fault_of(post(Authorization=bearer), 401, "HUB-AUTH")


def test_old_credentials_end_with_new_ones(post, dacs):
    client_rotate_secret(client=dacs.client, actor="anna")
    client_rotate_api_key(client=dacs.client, actor="anna")
    fault_of(post(Authorization=basic("dacs", SECRET)), 401, "HUB-AUTH")
    fault_of(post(X_API_Key=dacs.api_key), 401, "HUB-AUTH")


def test_a_person_is_not_let_in_to_flows(post, person):
    fault_of(post(Authorization=person(is_superuser=True).headers["Authorization"]), 401, "HUB-AUTH")


def test_an_unknown_id_costs_the_same_hash_as_a_known_one(post, monkeypatch):
    checked = []
    monkeypatch.setattr(
        "integrations.api.auth._hasher.verify", lambda secret, encoded: checked.append(encoded)
    )
    post(Authorization=basic("nobody", SECRET))
    post(Authorization=basic("dacs", WRONG))
    assert len(checked) == 2
    assert len({len(encoded.split("$")[2]) for encoded in checked}) == 1


def test_twenty_wrong_log_ins_lock_the_id_from_that_address(post):
    for _ in range(20):
        post(Authorization=basic("dacs", WRONG))
    fault_of(post(Authorization=basic("dacs", SECRET)), 401, "HUB-AUTH")


def test_a_lock_is_of_one_id_and_one_address(post, client, headers):
    client_create(client_id="derms", secret=SECRET, flows=[OTHER])
    for _ in range(20):
        post(Authorization=basic("dacs", WRONG))
    assert post(OTHER_URL, Authorization=basic("derms", SECRET)).status_code == 200
    elsewhere = client.post(ACK_URL, b"{}", "application/json", headers=headers, REMOTE_ADDR="127.0.0.9")
    assert elsewhere.status_code == 200


def test_a_right_log_in_forgets_the_wrong_ones_before(post):
    for _ in range(19):
        post(Authorization=basic("dacs", WRONG))
    assert post(Authorization=basic("dacs", SECRET)).status_code == 200
    assert not LoginAttempt.objects.exists()


def test_a_forwarded_address_is_believed_only_from_a_trusted_proxy(post, settings):
    post(Authorization=basic("dacs", SECRET), url=OTHER_URL, X_Forwarded_For="203.0.113.9")
    settings.HUB_TRUSTED_PROXIES = ["127.0.0.1/32"]
    post(Authorization=basic("dacs", SECRET), url=OTHER_URL, X_Forwarded_For="203.0.113.9")
    assert list(AuditEntry.objects.filter(action="call_refused").values_list("address", flat=True)) == [
        "203.0.113.9",
        "127.0.0.1",
    ]


def test_a_person_with_the_permission_is_let_in_to_monitoring(client, person):
    assert client.get(LIST, headers=person("view_instance").headers).status_code == 200


def test_a_client_speaks_with_its_persons_permissions(client, dacs, person):
    error = f"{MONITORING}/errors"
    fault_of(client.get(error, headers={"X-API-Key": dacs.api_key}), 403, "HUB-FORBIDDEN")
    type(dacs.client).objects.update(user=person("view_instance"))
    assert client.get(error, headers={"X-API-Key": dacs.api_key}).status_code == 200


def test_wrong_passwords_get_the_same_text_as_wrong_secrets(client, person, dacs):
    person("view_instance")
    bodies = [
        fault_of(client.get(LIST, headers={"Authorization": basic(*pair)}), 401, "HUB-AUTH")
        for pair in (("olivia", "wrong"), ("nobody", PASSWORD), ("dacs", WRONG))
    ]
    assert bodies[0] == bodies[1] == bodies[2]


def test_a_right_password_is_hashed_once_a_minute(client, person, monkeypatch):
    user = person("view_instance")
    assert client.get(LIST, headers=user.headers).status_code == 200
    monkeypatch.setattr(passwords, "authenticate", lambda *_, **__: pytest.fail("hashed again"))
    assert client.get(LIST, headers=user.headers).status_code == 200


def test_a_remembered_password_is_forgotten_after_a_minute(client, person, monkeypatch):
    user = person("view_instance")
    client.get(LIST, headers=user.headers)
    later = time.monotonic() + passwords.REMEMBERED_SECONDS + 1
    monkeypatch.setattr("integrations.api.passwords.time.monotonic", lambda: later)
    monkeypatch.setattr(passwords, "authenticate", lambda *_, **__: None)
    fault_of(client.get(LIST, headers=user.headers), 401, "HUB-AUTH")


def test_a_changed_password_or_a_disabled_user_is_noticed_at_once(client, person):
    user = person("view_instance")
    client.get(LIST, headers=user.headers)
    user.set_password("another person's password")
    user.save()
    fault_of(client.get(LIST, headers=user.headers), 401, "HUB-AUTH")
    user.set_password(PASSWORD)
    user.is_active = False
    user.save()
    fault_of(client.get(LIST, headers=user.headers), 401, "HUB-AUTH")


def test_what_is_remembered_of_passwords_is_bounded(person, monkeypatch, rf):
    person("view_instance")
    monkeypatch.setattr(passwords, "_until", dict.fromkeys(map(str, range(passwords._MOST)), 0.0))
    assert passwords.person_by_password(rf.get("/"), "olivia", PASSWORD)
    assert len(passwords._until) == 1


def test_a_session_reads_but_changes_nothing_without_its_csrf_token(person, client_with_csrf, make_error):
    client_with_csrf.force_login(person("view_instance", "discard_instance"))
    error = make_error()
    assert client_with_csrf.get(LIST).status_code == 200
    url = f"{MONITORING}/errors/{error.instance_id}/discard"
    answer = client_with_csrf.post(url, {"reason": "test"}, content_type="application/json")
    assert "CSRF" in fault_of(answer, 403, "HUB-FORBIDDEN")["detail"]
    error.refresh_from_db()
    assert error.state == "open"


@pytest.fixture
def client_with_csrf():
    return Client(enforce_csrf_checks=True)


def test_a_flow_taken_from_a_client_or_switched_off_is_refused_at_once(post, dacs):
    shown = {"Authorization": basic("dacs", SECRET)}
    assert post(**shown).status_code == 200
    flow = dacs.client.flows.get(identifier=ACK)
    dacs.client.flows.remove(flow)
    assert post(**shown).status_code == 403
    dacs.client.flows.add(flow)
    assert post(**shown).status_code == 200
    type(flow).objects.update(active=False)
    assert post(**shown).status_code == 503


def test_a_rotated_secret_and_a_disabled_client_are_refused_at_once(post, dacs):
    assert post(Authorization=basic("dacs", SECRET)).status_code == 200
    new = client_rotate_secret(client=dacs.client, actor="anna")
    assert post(Authorization=basic("dacs", SECRET)).status_code == 401
    assert post(Authorization=basic("dacs", new)).status_code == 200
    client_disable(client=dacs.client, actor="anna")
    assert post(Authorization=basic("dacs", new)).status_code == 401
