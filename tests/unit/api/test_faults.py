"""Any exception of a view becomes a fault body."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError
from django.http import Http404
from rest_framework import exceptions

from integrations.api.faults import answer_exception, fault_body
from integrations.engine.faults import BusinessFault, Fault, InvalidMessage, LookupMissing, MappingFailed
from lookups.errors import LookupFault


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "HUB-NOT-FOUND"),
        (PermissionDenied(), 403, "HUB-FORBIDDEN"),
        (SuspiciousOperation("x"), 400, "HUB-INVALID"),
        (InterfaceError("connection already closed"), 503, "HUB-BUSY"),
        (exceptions.NotAuthenticated(), 401, "HUB-AUTH"),
        (exceptions.PermissionDenied("CSRF"), 403, "HUB-FORBIDDEN"),
        (exceptions.NotFound(), 404, "HUB-NOT-FOUND"),
        (exceptions.ParseError("x"), 400, "HUB-BAD-JSON"),
        (exceptions.UnsupportedMediaType("text/x"), 415, "HUB-MEDIA-TYPE"),
        (exceptions.ValidationError("x"), 400, "HUB-INVALID"),
        (LookupFault("no row"), 422, "HUB-LOOKUP"),
        (MappingFailed("x"), 422, "HUB-MAPPING"),
        (ValueError("x"), 500, "HUB-BUG"),
    ],
)
def test_each_exception_has_its_code_and_status(error, status, code):
    answer = answer_exception(error, {})
    assert (answer.status_code, answer.data["o:errorCode"], answer.data["status"]) == (
        status,
        code,
        str(status),
    )


def test_a_hint_follows_the_text_as_a_sentence():
    assert fault_body(InvalidMessage("No id", hint="Send one."))["detail"] == "No id. Send one."
    assert fault_body(InvalidMessage("No id?", hint="Send one."))["detail"] == "No id? Send one."
    assert fault_body(InvalidMessage("No id"))["detail"] == "No id"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.4.1"),
        (404, "http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.4.5"),
        (503, "http://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.5.4"),
        (422, "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.21"),
    ],
)
def test_the_type_names_where_the_status_is_explained(status, kind):
    assert fault_body(Fault("x", status=status))["type"] == kind


def test_the_step_and_the_target_are_among_the_details():
    fault = BusinessFault("CCS said no", connection="CCS", target_status=400, target_body=b"canary")
    fault.step = "PATCH F1-SyncRequest"
    detail = fault_body(fault, "i1")["o:errorDetails"][0]
    assert (detail["o:errorPath"], detail["connection"], detail["targetStatus"]) == (
        "PATCH F1-SyncRequest",
        "CCS",
        400,
    )
    assert "canary" not in str(fault_body(fault, "i1"))


def test_an_unforeseen_faults_own_words_stay_inside():
    body = fault_body(Fault("ValueError: password=x", code="HUB-BUG", connection="CCS"), "i1")
    assert "password" not in str(body)
    assert body["instance"] == "i1"


def test_a_fault_says_itself_when_to_come_back():
    assert answer_exception(LookupMissing("x", retry_after=0.2), {})["Retry-After"] == "1"
    assert "Retry-After" not in answer_exception(LookupMissing("x"), {})
