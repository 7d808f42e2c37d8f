"""Connections: entered by adapter, secrets never shown, tested with the real error, host keys accepted by print."""

import re

import pytest
from django.urls import reverse

from demo.sftp import SftpServer
from integrations import models
from integrations.adapters import adapter_class, adapter_names
from integrations.adapters.contract import Field
from integrations.admin.connection_form import form_field
from integrations.services.connection_accept_host_key import host_key_fingerprint
from tests import factories
from tests.unit.admin.conftest import page_of, text_of

CANARY = "canary-secret-9b1f"
ADD = "admin:integrations_connection_add"
LIMITS = {"connect_timeout": "2", "read_timeout": "5", "retries": "4", "parallel": "4"}


def _sftp(**more):
    values = {
        "adapter": "sftp",
        "name": "OU FTP",
        "role": "invoke",
        "setting_host": "127.0.0.1",
        "setting_port": "22",
    }
    return {**values, **LIMITS, "setting_user": "hub", "secret_password": CANARY, **more}


@pytest.fixture
def server(tmp_path):
    """A real SFTP server with an account."""
    with SftpServer(tmp_path, users={"hub": CANARY}) as running:
        yield running


def _at(server, **more):
    return _sftp(**{"setting_port": str(server.port), **more})


# -- the form --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "adapter", ["sftp", "ftp", "object_storage", "oci_object_storage", "rest", "soap", "mail"]
)
def test_the_form_has_the_fields_the_adapter_declares(configurator, adapter):
    page = text_of(configurator.get(f"{reverse(ADD)}?adapter={adapter}"))
    for field in adapter_class(adapter).fields:
        assert f'name="{"secret_" if field.secret else "setting_"}{field.name}"' in page


def test_every_adapter_of_a_site_can_be_chosen(configurator):
    page = text_of(configurator.get(reverse(ADD)))
    for name in set(adapter_names()) - {"memory"}:
        assert adapter_class(name).label in page


def test_an_unknown_adapter_in_the_address_is_no_error(configurator):
    assert configurator.get(f"{reverse(ADD)}?adapter=telex").status_code == 200


@pytest.mark.parametrize(
    ("kind", "made"), [(int, "IntegerField"), (bool, "BooleanField"), (dict, "JSONField"), (str, "CharField")]
)
def test_a_setting_of_each_kind_has_its_field(kind, made):
    assert type(form_field(Field("x", "X", kind=kind))).__name__ == made


def test_sftp_without_host_key_is_refused_with_what_to_do(configurator):
    answer = configurator.post(reverse(ADD), _sftp())
    assert "The host key is missing; Test shows what the server offers" in text_of(answer)
    assert not models.Connection.objects.filter(name="OU FTP").exists()


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"setting_host": ""}, "setting_host"),
        ({"setting_port": "many"}, "setting_port"),
        ({"host_key": "no key at all"}, "host_key"),
        ({"name": ""}, "name"),
    ],
)
def test_what_cannot_work_is_said_at_its_field(configurator, server, more, field):
    answer = configurator.post(reverse(ADD), _at(server, **{"host_key": server.host_key, **more}))
    assert field in answer.context["adminform"].form.errors


def test_timeouts_of_nothing_are_refused(configurator, server):
    answer = configurator.post(reverse(ADD), _at(server, host_key=server.host_key, read_timeout="0"))
    assert "Read timeout has to be more than 0 seconds" in text_of(answer)


def test_a_trigger_with_an_agent_group_is_refused(configurator, server):
    group = factories.AgentGroupFactory()
    posted = _at(server, host_key=server.host_key, role="trigger", agent_group=group.pk)
    assert "cannot have an agent group" in text_of(configurator.post(reverse(ADD), posted))


def test_a_connection_that_calls_the_hub_needs_no_address(configurator):
    posted = {"adapter": "rest", "name": "OU REST DACS", "role": "trigger", **LIMITS}
    configurator.post(f"{reverse(ADD)}?adapter=rest", posted)
    assert models.Connection.objects.filter(name="OU REST DACS", adapter="rest").exists()


# -- secrets ---------------------------------------------------------------------------------------------


@pytest.fixture
def stored(configurator, server):
    """A connection that works, made through the form."""
    configurator.post(reverse(ADD), _at(server, host_key=server.host_key))
    return models.Connection.objects.get(name="OU FTP")


def test_a_secret_is_stored_and_never_shown(admin, configurator, viewer, stored):
    assert stored.secrets == {"password": CANARY}
    for browser in (admin, configurator, viewer):
        page = text_of(browser.get(page_of(stored)))
        assert CANARY not in page
    assert "Set; leave empty to keep it." in text_of(admin.get(page_of(stored)))


def test_a_secret_is_in_no_history_and_no_audit(admin, stored):
    admin.post(page_of(stored, "test"))
    assert CANARY not in str(list(stored.history.values()))
    assert CANARY not in str(list(models.AuditEntry.objects.values()))
    assert CANARY not in text_of(admin.get(page_of(stored, "history")))


def test_an_empty_box_keeps_the_secret(configurator, server, stored):
    configurator.post(
        page_of(stored), _at(server, host_key=server.host_key, secret_password="", description="new")
    )
    stored.refresh_from_db()
    assert (stored.secrets, stored.description) == ({"password": CANARY}, "new")


def test_the_clear_box_clears_it(configurator, server, stored):
    posted = _at(server, host_key=server.host_key, secret_password="", role="trigger", clear_password="on")
    configurator.post(page_of(stored), posted)
    stored.refresh_from_db()
    assert stored.secrets == {}


@pytest.mark.parametrize("name", ["secret_password", "secret_private_key"])
def test_a_secret_typed_into_a_form_that_is_refused_is_not_shown_again(configurator, name):
    page = text_of(configurator.post(reverse(ADD), _sftp(**{name: CANARY})))
    assert "The host key is missing" in page
    assert CANARY not in page


def test_settings_of_another_adapter_are_asked_for_when_it_changes(configurator, stored):
    page = text_of(configurator.get(f"{page_of(stored)}?adapter=ftp"))
    assert "Saving changes the adapter from sftp to ftp" in page


# -- test ------------------------------------------------------------------------------------------------


def test_test_says_what_it_tried_and_keeps_the_report(operator, stored):
    page = text_of(operator.post(page_of(stored, "test"), follow=True))
    stored.refresh_from_db()
    assert stored.last_test_ok
    assert "Test passed" in page
    for step in stored.last_test_report:
        assert step["what"] in page.replace("&#x27;", "'")


def test_test_is_audited(operator, stored):
    operator.post(page_of(stored, "test"))
    entry = models.AuditEntry.objects.get(action="connection_test")
    assert (entry.actor, entry.detail["passed"]) == ("olga", True)


def test_a_system_that_is_down_is_said_with_its_error(operator, stored, server):
    server.stop()
    page = text_of(operator.post(page_of(stored, "test"), follow=True))
    stored.refresh_from_db()
    assert stored.last_test_ok is False
    assert "Test failed" in page
    assert f"127.0.0.1:{server.port}" in page


def test_a_test_that_passes_closes_the_breaker(operator, stored):
    breaker = factories.BreakerFactory(connection=stored)
    operator.post(page_of(stored, "test"))
    breaker.refresh_from_db()
    assert breaker.open_until is None


def test_settings_that_changed_are_not_tested_any_more(configurator, server, stored):
    configurator.post(page_of(stored, "test"))
    configurator.post(page_of(stored), _at(server, host_key=server.host_key, setting_user="other"))
    stored.refresh_from_db()
    assert stored.last_test_ok is None


# -- host keys -------------------------------------------------------------------------------------------


@pytest.fixture
def unpinned(server):
    """Stored by a package, with no host key yet."""
    settings = {"host": "127.0.0.1", "port": server.port, "user": "hub"}
    return factories.ConnectionFactory(adapter="sftp", settings=settings, secrets={"password": CANARY})


def test_an_unknown_key_is_shown_by_its_fingerprint_and_accepted(configurator, server, unpinned):
    page = text_of(configurator.post(page_of(unpinned, "test"), follow=True))
    [offered] = re.findall(r'name="offered" value="([^"]+)"', page)
    assert host_key_fingerprint(server.host_key) in page
    configurator.post(page_of(unpinned, "accept_host_key"), {"offered": offered})
    unpinned.refresh_from_db()
    assert unpinned.host_key == server.host_key
    assert "Test passed" in text_of(configurator.post(page_of(unpinned, "test"), follow=True))
    assert models.AuditEntry.objects.get(action="connection_accept_host_key").detail[
        "after"
    ] == host_key_fingerprint(server.host_key)


def test_a_key_that_no_test_met_is_not_accepted(configurator, server, unpinned):
    answer = configurator.post(
        page_of(unpinned, "accept_host_key"), {"offered": server.host_key}, follow=True
    )
    unpinned.refresh_from_db()
    assert "did not meet this key" in text_of(answer)
    assert unpinned.host_key == ""


def test_an_operator_sees_the_key_but_cannot_accept_it(operator, server, unpinned):
    page = text_of(operator.post(page_of(unpinned, "test"), follow=True))
    assert host_key_fingerprint(server.host_key) in page
    assert "Accept this key" not in page
    assert (
        operator.post(page_of(unpinned, "accept_host_key"), {"offered": server.host_key}).status_code == 403
    )


def test_a_new_connection_is_tried_accepted_and_saved_without_typing_the_secret_twice(configurator, server):
    tried = configurator.post(reverse(ADD), _at(server, _test="1"))
    page = text_of(tried)
    assert host_key_fingerprint(server.host_key) in page
    assert CANARY not in page
    draft = tried.context["adminform"].form["draft"].value()
    accepted = configurator.post(
        reverse(ADD), _at(server, secret_password="", draft=draft, _accept=tried.context["draft_offered"])
    )
    assert all(step.ok for step in accepted.context["draft_steps"])
    assert not models.Connection.objects.filter(name="OU FTP").exists()
    form = accepted.context["adminform"].form
    assert form["host_key"].value() == server.host_key
    saved = _at(server, secret_password="", draft=form["draft"].value(), host_key=server.host_key)
    configurator.post(reverse(ADD), saved)
    assert models.Connection.objects.get(name="OU FTP").secrets == {"password": CANARY}


@pytest.mark.parametrize("draft", ["tampered", "gAAAAABm"])
def test_a_draft_that_is_not_ours_is_refused(configurator, server, draft):
    answer = configurator.post(reverse(ADD), _at(server, host_key=server.host_key, draft=draft))
    assert "Enter the secrets again" in text_of(answer)


def test_the_draft_of_one_connection_is_no_good_for_another(configurator, server, stored):
    tried = configurator.post(reverse(ADD), _at(server, name="another", _test="1"))
    draft = tried.context["adminform"].form["draft"].value()
    answer = configurator.post(
        page_of(stored), _at(server, host_key=server.host_key, draft=draft, secret_password="")
    )
    assert "belongs to another connection" in text_of(answer)


def test_who_may_not_change_cannot_try_values(operator, stored, server):
    assert operator.post(page_of(stored), _at(server, _test="1")).status_code == 403
    assert models.AuditEntry.objects.filter(action="refused", actor="olga").exists()
