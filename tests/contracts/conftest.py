"""The sites every store is tested against."""

from collections.abc import Iterator

import pytest

from integrations.adapters.http_session import close_sessions
from integrations.adapters.memory import memory_forget
from integrations.adapters.rest_auth import forget_tokens
from tests.contracts import sites
from tests.contracts.rclone import rclone

ALL = {
    "memory": sites.memory,
    "sftp": sites.sftp,
    "sshd": sites.sshd,
    "ftp": sites.ftp,
    "ftp-list": sites.ftp_without_facts,
    "ftps": sites.ftps,
    "ftps-implicit": sites.ftps_implicit,
    "objects": sites.objects,
    "oci": sites.oci,
    "rclone": rclone,
}


def kinds(*names: str):
    """Parameters for `site`: these kinds of store."""
    return [pytest.param(name, marks=pytest.mark.sshd) if name == "sshd" else name for name in names]


@pytest.fixture(params=kinds(*ALL))
def site(request, tmp_path) -> Iterator[sites.Site]:
    """One store with an empty directory."""
    with ALL[request.param](tmp_path) as found:
        yield found


@pytest.fixture
def store(site):
    """The adapter under test, open."""
    with site.store() as found:
        yield found


@pytest.fixture(autouse=True)
def _clean():
    """Nothing pooled in the process goes from test to test."""
    yield
    close_sessions()
    forget_tokens()
    memory_forget()
