"""The two places of payloads, plain and encrypted, each test with one of its own."""

import uuid

import boto3
import pytest
from cryptography.fernet import Fernet
from moto.server import ThreadedMotoServer


@pytest.fixture(scope="session")
def s3_url():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_url, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    name = f"payloads-{uuid.uuid4().hex[:12]}"
    client = boto3.client("s3", endpoint_url=s3_url, region_name="us-east-1")
    client.create_bucket(Bucket=name)
    yield client, name
    client.close()


@pytest.fixture(params=["file", "s3"])
def store(request, settings, tmp_path):
    """PAYLOAD_STORE set to a new, empty place; its kind."""
    settings.HUB_FERNET_KEYS = [Fernet.generate_key().decode()]
    if request.param == "file":
        settings.PAYLOAD_STORE = f"file://{tmp_path / 'store'}"
    else:
        client, name = request.getfixturevalue("bucket")
        where = client.meta.endpoint_url
        settings.PAYLOAD_STORE = f"s3://{name}/some/prefix?endpoint_url={where}&region=us-east-1"
    return request.param


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
def encrypt(request, settings):
    settings.PAYLOAD_ENCRYPT = request.param
    return request.param
