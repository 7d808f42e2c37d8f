"""Whose call it is: a forwarded address counts only from a trusted proxy (S3)."""

import pytest
from django.test import RequestFactory

from hub.address import client_address


def address(peer: str, forwarded: str = "") -> str:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))


def test_a_forwarded_address_is_not_believed_by_itself(settings):
    settings.HUB_TRUSTED_PROXIES = []
    assert address("203.0.113.9", "127.0.0.1") == "203.0.113.9"


@pytest.mark.parametrize(
    ("forwarded", "believed"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("127.0.0.1, 198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("", "10.0.0.1"),
        ("nonsense", "10.0.0.1"),
        ("198.51.100.7, nonsense", "10.0.0.1"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ],
)
def test_behind_a_trusted_proxy_the_last_untrusted_hop_is_the_caller(settings, forwarded, believed):
    settings.HUB_TRUSTED_PROXIES = ["10.0.0.0/24"]
    assert address("10.0.0.1", forwarded) == believed


def test_a_local_socket_has_no_address():
    assert address("unix:") == ""


def test_a_call_inside_the_process_has_no_address():
    assert client_address(None) == ""
