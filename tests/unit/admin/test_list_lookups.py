"""Lists are filtered by what they offer and by what the console's own links ask for; by nothing else."""

import re
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from django.contrib import admin as console
from django.core.cache import cache
from django.db.models import JSONField, TextField
from django.test import RequestFactory
from django.utils import timezone

from crm.models import Callback, TroubleTicket
from integrations import models
from integrations.admin.bulk_choice import preview_url
from lookups.models import Lookup, Row
from tests import factories
from tests.unit.admin.conftest import list_of, page_of, text_of

FILE_FLOW = "OUTL-BA-CCS_DACS_CUST_SYNC_FTP"
ENDS = ("startswith", "contains", "icontains", "regex", "iregex", "gt", "endswith")


@pytest.fixture
def seeded(db):
    """A row on each of the pages, so that they have links; the error's family, missing value and order."""
    flow = models.Flow.objects.get(identifier=FILE_FLOW)
    now = timezone.now()
    instance = factories.InstanceFactory(flow=flow, status="failed", due_at=now)
    error = factories.ErrorInstanceFactory(instance=instance)
    missing = factories.MissingValueFactory()
    missing.errors.add(error)
    factories.MissingValueFactory(settled_at=now)
    factories.InstanceFactory(flow=flow)
    factories.BreakerFactory()
    factories.AlertFactory()
    factories.NotificationFactory(state="pending")
    factories.SyncRequestFactory(overdue_at=now)
    factories.TrustCertificateFactory(not_after=now)
    factories.ConnectionFactory(secrets_expire_on=now.date())
    factories.ClientFactory(secret_expires_on=now.date())
    order = factories.BulkResubmissionFactory()
    models.BulkItem.objects.create(order=order, instance=instance, position=1)
    factories.BulkResubmissionFactory(state="awaiting")
    return {"flow": flow, "error": error, "missing": missing, "order": order}


def links_of(address, html):
    """The addresses with a query string below /admin/ on a page: one of each list and its parameters."""
    hrefs = {urljoin(address, unescape(href)) for href in re.findall(r'href="([^"#]+)', html)}
    asked = [href for href in hrefs if href.startswith("/admin/") and urlsplit(href).query]
    return {(urlsplit(href).path, *sorted(parse_qs(urlsplit(href).query))): href for href in asked}


def test_every_link_with_filters_on_the_console_s_pages_answers(admin, seeded):
    cache.clear()
    pages = [
        "/admin/",
        page_of(seeded["flow"]),
        list_of(models.Flow),
        page_of(seeded["error"].family),
        list_of(models.ErrorFamily),
        list_of(models.ErrorInstance),
        page_of(seeded["missing"]),
        list_of(models.MissingValue),
        page_of(seeded["order"]),
        list_of(models.BulkResubmission),
        preview_url(family=seeded["error"].family_id),
        page_of(seeded["error"].instance),
    ]
    found = {}
    for page in pages:
        answer = admin.get(page)
        assert answer.status_code == 200, page
        found |= links_of(page, text_of(answer))
    asked, links = {name for _, *names in found for name in names}, found.values()
    assert {"family__id__exact", "status__in", "created_at__gte", "bulk", "secrets_expire_on__lt"} <= asked
    assert {link: code for link in links if (code := admin.get(link).status_code) != 200} == {}


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (models.Instance, "parent__id__exact=018f0000-0000-7000-8000-000000000000"),
        (models.Instance, "handed_on_by__id__exact=018f0000-0000-7000-8000-000000000000"),
        (models.Instance, "replay_of__id__exact=018f0000-0000-7000-8000-000000000000"),
        (models.Instance, "text=refused&since=2026-01-01T00:00&until=&within=7d"),
        (models.Instance, "status__in=ready,waiting"),
        (models.ErrorInstance, "state__exact=open&family__flow__id__exact=1"),
        (models.SyncRequest, "instance__id__exact=018f0000-0000-7000-8000-000000000000"),
        (models.SyncRequest, "file_transfer__id__exact=018f0000-0000-7000-8000-000000000000"),
        (models.SyncRequest, "overdue=yes"),
        (models.FileTransfer, "instance__id__exact=018f0000-0000-7000-8000-000000000000"),
        (models.Alert, "rule__id__exact=1"),
        (TroubleTicket, "kind=unlocated&id__gte=018f0000-0000-7000-8000-000000000000&set=all"),
        (TroubleTicket, "incident__id__exact=018f0000-0000-7000-8000-000000000000"),
        (TroubleTicket, "message__id__exact=018f0000-0000-7000-8000-000000000000"),
        (TroubleTicket, "service_point__mrid__exact=1"),
        (Callback, "incident__id__exact=018f0000-0000-7000-8000-000000000000&state=all"),
        (Row.history.model, "id=1"),
        (Row.history.model, "lookup__id__exact=1"),
        (Row, "lookup__id__exact=1"),
    ],
)
def test_links_of_pages_and_mails_answer(admin, model, query):
    answer = admin.get(f"{list_of(model)}?{query}")
    assert answer.status_code == 200
    assert "e=1" not in answer.request["QUERY_STRING"]


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (models.AlertRule, "webhook_url__startswith=https://chat"),
        (models.MappingExtension, "sample__account__startswith=8"),
        (models.Instance, "checkpoint__step__startswith=a"),
        (models.Instance, "fault_text__icontains=a"),
        (models.Instance, "fault_text__regex=(a%2B)%2B$"),
        (models.Connection, "secrets__startswith=a"),
        (models.ErrorInstance, "text__regex=a"),
        (Lookup, "shipped__regex=a"),
        (TroubleTicket, "comments__regex=a"),
        (models.Instance, "no_such_column=a"),
    ],
)
def test_what_a_list_does_not_offer_is_refused_in_words(viewer, model, query):
    answer = viewer.get(f"{list_of(model)}?{query}")
    assert answer.status_code == 400
    assert "The list has no filter of the kind in the address" in text_of(answer)


@pytest.mark.parametrize("name", ["preview", "dry-run", "start"])
def test_a_bulk_resubmission_takes_no_other_filters_than_the_list(operator, seeded, name):
    address = f"{list_of(models.BulkResubmission)}{name}/"
    ask = operator.get if name == "preview" else operator.post
    assert ask(address, {"filters": "text__regex=a", "rate": "60"}).status_code == 400
    assert ask(address, {"filters": "instance__fault_text__icontains=a", "rate": "60"}).status_code == 400
    assert models.BulkResubmission.objects.count() == 2


def everywhere():
    return sorted(console.site._registry.items(), key=lambda item: item[0]._meta.label)


@pytest.mark.parametrize(("model", "page"), everywhere(), ids=lambda it: getattr(it, "__name__", ""))
def test_no_list_compares_a_column_in_other_ways_than_its_filters(db, model, page):
    request = RequestFactory().get("/admin/")
    fields = model._meta.concrete_fields
    open_ones = [
        f.name for f in fields for end in ENDS if page.lookup_allowed(f"{f.name}__{end}", "a", request)
    ]
    assert open_ones == []
    long = [f.name for f in fields if isinstance(f, TextField | JSONField) and not f.choices]
    offered = {str(item) for item in page.get_list_filter(request)}
    assert not [n for n in long if n not in offered and page.lookup_allowed(f"{n}__exact", "a", request)]


def test_the_parameters_of_every_filter_are_allowed(seeded, rf):
    request = rf.get("/admin/")
    request.user = factories.UserFactory(is_superuser=True)
    seen = 0
    for _, page in everywhere():
        for spec in page.get_changelist_instance(request).filter_specs:
            names = spec.expected_parameters()
            seen += len(names)
            assert [n for n in names if not page.lookup_allowed(n, "1", request)] == [], (page, spec.title)
    assert seen > 60
