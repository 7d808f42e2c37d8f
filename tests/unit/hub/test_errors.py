"""Errors outside the views: fault bodies for programs, pages for people, no words of the inside."""

import pytest
from django.test import Client, RequestFactory

from hub import errors
from tests.unit.hub.test_headers import outside

SECRET = "unforeseen-inside-detail"


def request(path: str):
    return RequestFactory().get(path)


@pytest.mark.parametrize("path", ["/o/nothing", "/api/nothing", "/crm/nothing"])
def test_an_unknown_address_of_the_api_is_a_fault_body(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert answer.json()["o:errorCode"] == "HUB-NOT-FOUND"


def test_an_unknown_address_elsewhere_is_a_page_that_needs_nothing_from_outside(client):
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.content.decode()
    assert outside(answer.content.decode()) == []


def test_a_mistake_of_ours_is_said_without_its_details():
    page, body = errors.server_error(request("/admin/")), errors.server_error(request("/ic/api/x"))
    assert (page.status_code, body.status_code) == (500, 500)
    assert b"the log has it" in page.content
    assert b"HUB-BUG" in body.content


def test_a_refusal_and_a_bad_request_do_not_repeat_the_exception():
    for answer in [
        errors.forbidden(request("/admin/x"), PermissionError(SECRET)),
        errors.bad_request(request("/ic/x"), ValueError(SECRET)),
        errors.csrf_failed(request("/admin/x"), SECRET),
    ]:
        assert answer.status_code in (400, 403)
        assert SECRET not in answer.content.decode()


def test_a_wrong_host_is_a_bad_request(client):
    assert client.get("/admin/login/", HTTP_HOST="evil.example").status_code == 400


def test_a_form_without_its_token_is_refused_with_what_to_do(db):
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
    assert answer.status_code == 403
    assert "load the page again" in answer.content.decode()
