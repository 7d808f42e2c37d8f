"""The console: its overview, its menu, and the pages that must not be there."""

import re
import subprocess
import sys
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_application_model

from integrations.models import (
    Breaker,
    Connection,
    ErrorFamily,
    ErrorInstance,
    Flow,
    Heartbeat,
    Instance,
    Notification,
    SyncRequest,
    TrustCertificate,
)

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def troubled(db) -> Flow:
    """A hub with one of everything that asks for a person."""
    now = timezone.now()
    flow = Flow.objects.create(identifier="X-FLOW", name="X", package="x", pattern="async")
    failed = Instance.objects.create(flow=flow, status="failed", cause="inbound")
    Instance.objects.create(flow=flow, status="succeeded", cause="inbound")
    Instance.objects.create(flow=flow, status="ready", cause="inbound", due_at=now - timedelta(minutes=5))
    family = ErrorFamily.objects.create(
        flow=flow, fault_class="remote", fault_code="HUB-TARGET-DOWN", message="<b>refused</b>", signature="1",
        first_seen=now, last_seen=now, count=1,
    )  # fmt: skip
    ErrorInstance.objects.create(
        instance=failed, family=family, fault_class="remote", fault_code="HUB-TARGET-DOWN", text="refused",
        first_failed_at=now, last_failed_at=now,
    )  # fmt: skip
    SyncRequest.objects.create(package="x", sync_request_id="1", status="awaiting", overdue_at=now)
    Notification.objects.create(kind="error", dedupe="1", message_id="1", sender="a@b", subject="s", body="b")
    ccs = Connection.objects.create(name="CCS SFTP", adapter="sftp")
    Breaker.objects.create(connection=ccs, open_until=now + timedelta(seconds=30))
    TrustCertificate.objects.create(alias="ca", pem="x", not_before=now, not_after=now + timedelta(days=3))
    Heartbeat.objects.create(
        name="beat a:1", role="beat", host="a", pid=1, started_at=now, at=now - timedelta(minutes=2)
    )
    return flow


def figures(html: str) -> dict[str, tuple[int, str]]:
    """Title to number and address, as the overview shows them."""
    found = re.findall(r'<a href="([^"]+)"><strong>(\d+)</strong><span>([^<]+)</span>', html)
    return {unescape(title): (int(number), unescape(link)) for link, number, title in found}


@pytest.mark.parametrize(
    "title",
    [
        "Open errors", "Queue backlog", "Overdue acknowledgements", "Open breakers", "Mails to send",
        "Certificates expiring in 30 days", "Failed", "Succeeded", "Ready",
    ],
)  # fmt: skip
def test_a_figure_counts_one_and_leads_to_a_list_of_one(console, troubled, title):
    number, link = figures(console.get("/admin/").content.decode())[title]
    assert number == 1
    page = console.get(link)
    assert page.status_code == 200
    assert page.context["cl"].result_count == 1


def test_the_overview_names_open_families_breakers_and_silent_processes(console, troubled):
    html = console.get("/admin/").content.decode()
    assert "&lt;b&gt;refused&lt;/b&gt;" in html
    assert "CCS SFTP" in html
    assert re.search(r'class="hub-bad">2 min ago', html)


def test_an_hour_of_the_chart_leads_to_its_instances(console, troubled):
    html = console.get("/admin/").content.decode()
    bars = re.findall(r'<a href="([^"]+)" title="[^"]*: 1 succeeded, 1 failed"', html)
    assert len(bars) == 1
    assert html.count('<svg viewBox="0 0 10 100"') == 24
    assert console.get(unescape(bars[0])).context["cl"].result_count == 2


def test_an_idle_hub_says_so(console):
    html = console.get("/admin/").content.decode()
    assert "No error is open." in html
    assert "hub_beat" in html


def test_the_overview_takes_few_queries_and_the_next_one_fewer(
    console, troubled, django_assert_max_num_queries
):
    with django_assert_max_num_queries(31):  # one a figure, and who is asking
        console.get("/admin/")
    with django_assert_max_num_queries(6):
        console.get("/admin/")


def test_who_may_see_nothing_is_told_no_figure(browser, troubled):
    html = browser().get("/admin/").content.decode()
    assert figures(html) == {}
    assert "X-FLOW" not in html


def test_the_menu_shows_what_a_role_may_see(browser, console):
    viewer = browser("Viewer").get("/admin/").content.decode()
    assert 'href="/admin/integrations/instance/"' in viewer
    assert 'href="/admin/auth/user/"' not in viewer
    assert 'href="/admin/auth/user/"' in console.get("/admin/").content.decode()


@pytest.mark.parametrize("model", ["success", "failure", "schedule", "ormq"])
def test_the_queue_s_own_pages_are_gone(console, model):
    assert console.get(f"/admin/django_q/{model}/").status_code == 404
    assert console.get(f"/admin/django_q/{model}/add/").status_code == 404


@pytest.mark.parametrize("model", ["grant", "idtoken", "refreshtoken"])
def test_oauth2_codes_and_refresh_tokens_have_no_pages(console, model):
    assert console.get(f"/admin/oauth2_provider/{model}/").status_code == 404


def test_a_token_s_page_never_shows_its_value(console):
    application = get_application_model().objects.create(name="ccs", client_id="ccs")
    token = get_access_token_model().objects.create(
        application=application, token="canary-token-value-7f3e", expires=timezone.now() + timedelta(hours=1)
    )
    for name, args in [("changelist", []), ("change", [token.pk]), ("delete", [token.pk])]:
        page = console.get(reverse(f"admin:oauth2_provider_accesstoken_{name}", args=args))
        assert page.status_code == 200
        assert "canary-token" not in page.content.decode()
        assert token.token_checksum not in page.content.decode()


def test_applications_are_looked_at_not_edited(console):
    application = get_application_model().objects.create(name="ccs", client_id="ccs", client_secret="s" * 30)
    page = console.get(reverse("admin:oauth2_provider_application_change", args=[application.pk]))
    assert application.client_secret not in page.content.decode()
    assert (
        console.post(reverse("admin:oauth2_provider_application_delete", args=[application.pk])).status_code
        == 403
    )


def test_an_administrator_cannot_make_a_superuser(browser):
    administrator = browser("Administrator", username="admin-by-role")
    user = User.objects.get(username="admin-by-role")
    address = reverse("admin:auth_user_change", args=[user.pk])
    form = {
        "username": user.username,
        "is_superuser": "on",
        "is_staff": "on",
        "is_active": "on",
        "groups": [Group.objects.get(name="Administrator").pk],
    }
    assert administrator.post(address, form).status_code == 302
    user.refresh_from_db()
    assert not user.is_superuser


def test_an_administrator_cannot_change_a_superuser_or_its_password(browser, admin_user):
    administrator = browser("Administrator")
    for name in ["admin:auth_user_change", "admin:auth_user_delete", "admin:auth_user_password_change"]:
        answer = administrator.post(reverse(name, args=[admin_user.pk]), {"password1": "x", "password2": "x"})
        assert answer.status_code == 403


def test_the_console_runs_on_stock_admin_where_the_theme_is_missing(tmp_path):
    code = """
import importlib.util, os
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name.split(".")[0] == "unfold" else real(name, *rest)
os.environ["DJANGO_SETTINGS_MODULE"] = "hub.settings"
import django, sys
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("check")
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
browser = Client(HTTP_HOST="localhost")
browser.force_login(User.objects.create_superuser("a"))
for path in ["/admin/", "/admin/auth/user/", "/admin/integrations/instance/", "/admin/integrations/connection/add/"]:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
assert not any(name.split(".")[0] == "unfold" for name in sys.modules)
print("stock admin runs")
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "/usr/bin:/bin", "HUB_VAR": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "stock admin runs" in run.stdout, run.stderr[-3000:]


def test_who_logs_in_at_the_log_in_page_itself_comes_to_the_overview(client, django_user_model):
    django_user_model.objects.create_superuser("someone", password="a long password")
    said = client.post("/admin/login/", {"username": "someone", "password": "a long password"})
    assert (said.status_code, said["Location"]) == (302, "/admin/")
