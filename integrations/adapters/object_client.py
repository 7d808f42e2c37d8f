"""An S3 client that reaches checked addresses only and takes nothing from the environment."""

import threading
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool
from botocore.config import Config

from integrations.adapters.contract import Endpoint
from integrations.adapters.http_pool import checked_pools
from integrations.adapters.tls import client_context

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

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
    _use_checked_pools(client, endpoint)
    return client


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
