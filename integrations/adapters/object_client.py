"""An S3 client that reaches checked addresses only and takes nothing from the environment."""

import threading
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool
from botocore.config import Config

from integrations.adapters.contract import Endpoint
from integrations.adapters.http_pool import checked_pools
from integrations.adapters.object_quick import EXPECT_FROM, USER_AGENT, QuickClient
from integrations.adapters.tls import client_context

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

CONNECTIONS = 64  # kept open by one client; more are opened where more requests are under way

# Reading botocore's service descriptions takes most of the time: one session keeps them for all clients.
_session = boto3.session.Session()
_lock = threading.Lock()


def object_client(endpoint: Endpoint, url: str) -> "S3Client":
    """A client for this endpoint at `url`; Misconfigured where its certificates are unusable."""
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        connect_timeout=endpoint.connect_timeout,
        read_timeout=endpoint.read_timeout,
        proxies={},
        max_pool_connections=CONNECTIONS,
        # These two take a sixth of the time of a small request: names and types are checked by us, and the long
        # description of this machine would be put together anew each time.
        parameter_validation=False,
        user_agent=USER_AGENT,
        retries={"total_max_attempts": 1, "mode": "standard"},  # the engine retries, and shows that it does
        # Services other than AWS refuse the newer checksum headers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with _lock:
        client = _session.client(
            "s3",
            endpoint_url=url,
            region_name=str(endpoint.settings.get("region") or "us-east-1"),
            aws_access_key_id=str(endpoint.settings.get("access_key") or ""),
            aws_secret_access_key=endpoint.secrets.get("secret_key", ""),
            config=config,
        )
    client.meta.events.register("before-call.s3", _expect)
    _use_checked_pools(client, endpoint)
    return client


def _expect(params: dict[str, Any], **more: Any) -> None:
    """Ask before a large body is sent, so that a refusal is heard; small ones are quicker sent than asked for.

    (botocore asks for every body but a bytearray, which costs a small object a round trip.)
    """
    body = params.get("body")
    if isinstance(body, bytearray) and len(body) >= EXPECT_FROM:
        params["headers"]["Expect"] = "100-continue"


def quick_client(endpoint: Endpoint, client: "S3Client") -> QuickClient:
    """The same store for small requests, over the same connections."""
    keys = str(endpoint.settings.get("access_key") or ""), endpoint.secrets.get("secret_key", "")
    return QuickClient(client, access_key=keys[0], secret_key=keys[1])


def _use_checked_pools(client: Any, endpoint: Endpoint) -> None:
    """botocore has no setting for how it connects; its urllib3 manager takes pool classes as requests' does."""
    manager = client._endpoint.http_session._manager
    manager.pool_classes_by_scheme = checked_pools(
        endpoint.allowed_networks,
        stall=endpoint.read_timeout,
        context=client_context(endpoint),
        plain=AWSHTTPConnectionPool,
        secure=AWSHTTPSConnectionPool,
    )


def close_client(client: "S3Client") -> None:
    """Close its sockets."""
    client.close()
