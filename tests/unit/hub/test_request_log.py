"""The address in a request's log lines is the throttle's (reliability S3: forwarded addresses may be made up)."""

import pytest
import structlog

from hub.middleware import RequestLog


@pytest.mark.parametrize(
    ("proxies", "logged"), [([], "127.0.0.1"), (["127.0.0.0/8"], "203.0.113.7")], ids=["direct", "by a proxy"]
)
def test_a_forwarded_address_is_logged_only_from_a_trusted_proxy(rf, settings, proxies, logged):
    settings.HUB_TRUSTED_PROXIES = proxies
    with structlog.contextvars.bound_contextvars(ip=None):
        RequestLog.bind_ip(rf.get("/", headers={"X-Forwarded-For": "203.0.113.7"}))
        assert structlog.contextvars.get_contextvars()["ip"] == logged
