"""The requests that many small objects need, for a third of the CPU that boto3's client takes for them.

They go through the client's own connections (checked addresses, its timeouts and errors) and are signed with signature
version 4 as botocore signs them; what boto3 spends on describing, validating and parsing any request of any service is
left out. Parameters and answers are those of the client's methods, and what is answered with another place to ask (a
bucket of another region) is asked again by the client, which knows how to go there.

Source: AWS, "Signature Version 4 signing process" and the S3 API reference.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ClientError

from integrations.adapters.errors import Dropped

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

EXPECT_FROM = 128 * 1024  # bytes of a body that is only sent once the service says that it takes it
USER_AGENT = "Busbar"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOTHING = hashlib.sha256(b"").hexdigest()
_META = "x-amz-meta-"
_ERROR, _MOVED = 300, (301, 302, 307, 308)
_ELSEWHERE = {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_SERVER_ERROR = 500
# Parameters of the client's methods that are headers.
_HEADERS = {
    "ContentMD5": "content-md5",
    "ContentType": "content-type",
    "IfMatch": "if-match",
    "IfNoneMatch": "if-none-match",
    "CopySourceIfMatch": "x-amz-copy-source-if-match",
    "MetadataDirective": "x-amz-metadata-directive",
}
# Those that are parts of the query, in its order.
_QUERY = (("delimiter", "Delimiter"), ("marker", "Marker"), ("max-keys", "MaxKeys"), ("prefix", "Prefix"))
# Headers of answers that are members of the client's answers.
_MEMBERS = {
    "ETag": "etag",
    "ContentType": "content-type",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
}


class QuickClient:
    """Some methods of boto3's client."""

    def __init__(self, client: "S3Client", *, access_key: str, secret_key: str) -> None:
        """For the client's endpoint and region; the keys are those it has."""
        self._client = client
        self._access_key, self._secret_key = access_key, secret_key
        self._region = client.meta.region_name
        self._session: Any = client._endpoint.http_session  # type: ignore[attr-defined]
        parts = urlsplit(client.meta.endpoint_url)
        self._scheme, self._base = parts.scheme, parts.path.rstrip("/")
        self._server = f"{parts.scheme}://{parts.netloc}"
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
        shown = parts.port not in (None, _DEFAULT_PORTS.get(parts.scheme))
        self._host = f"{host}:{parts.port}" if shown else host
        self._key: tuple[str, bytes] = ("", b"")

    def head_object(self, **asked: Any) -> Mapping[str, Any]:
        """The object's figures."""
        return self._ask("HEAD", "head_object", asked)

    def get_object(self, **asked: Any) -> Mapping[str, Any]:
        """The object; its `Body` is bytes, all of them or Dropped."""
        return self._ask("GET", "get_object", asked)

    def put_object(self, **asked: Any) -> Mapping[str, Any]:
        """Keep `Body`, bytes or a bytearray."""
        return self._ask("PUT", "put_object", asked)

    def copy_object(self, **asked: Any) -> Mapping[str, Any]:
        """Copy `CopySource`; the answer's `CopyObjectResult` has the ETag."""
        source = asked["CopySource"]
        header = {
            "x-amz-copy-source": f"{quote(source['Bucket'], safe='')}/{quote(source['Key'], safe='/~')}"
        }
        return self._ask("PUT", "copy_object", asked, header)

    def delete_object(self, **asked: Any) -> Mapping[str, Any]:
        """Remove the object."""
        return self._ask("DELETE", "delete_object", asked)

    def list_objects(self, **asked: Any) -> Mapping[str, Any]:
        """One page of the bucket's objects, with `Key`, `Size` and `ETag` of each; no common prefixes."""
        return self._ask("GET", "list_objects", asked)

    def _ask(
        self, method: str, name: str, asked: Mapping[str, Any], more: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        body = asked.get("Body") or b""
        request = self._request(method, asked, body, {**_headers(asked), **(more or {})})
        answer = self._session.send(request)
        if answer.status_code in _MOVED:
            return self._by_client(name, asked)
        content: bytes = answer.content
        if answer.status_code >= _ERROR or (method == "PUT" and b"<Error>" in content):
            error = _error(name, answer.status_code, content)
            if error.response["Error"]["Code"] in _ELSEWHERE:
                return self._by_client(name, asked)
            raise error
        return _page(content) if name == "list_objects" else _answer(method, answer.headers, content)

    def _request(
        self, method: str, asked: Mapping[str, Any], body: bytes | bytearray, headers: dict[str, str]
    ) -> AWSPreparedRequest:
        path = f"{self._base}/{quote(asked['Bucket'], safe='')}"
        if "Key" in asked:
            path += f"/{quote(asked['Key'], safe='/~')}"
        query = "&".join(
            f"{key}={quote(str(asked[given]), safe='')}" for key, given in _QUERY if asked.get(given)
        )
        signed: Any = self._signed(f"{method}\n{path}\n{query}", headers, body)
        if len(body) >= EXPECT_FROM:
            signed["Expect"] = b"100-continue"
        url = f"{self._server}{path}{'?' if query else ''}{query}"
        return AWSPreparedRequest(method, url, signed, body or None, stream_output=False)

    def _by_client(self, name: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        answer: dict[str, Any] = getattr(self._client, name)(**asked)
        if name == "get_object":
            answer["Body"] = answer["Body"].read()
        return answer

    def _signed(self, target: str, headers: dict[str, str], body: bytes | bytearray) -> dict[str, Any]:
        """The headers with the signature; the body is signed too, but where TLS and its MD5 protect it."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        covered = self._scheme == "https" and "content-md5" in headers
        payload = "UNSIGNED-PAYLOAD" if covered else hashlib.sha256(body).hexdigest() if body else _NOTHING
        headers |= {"host": self._host, "x-amz-date": stamp, "x-amz-content-sha256": payload}
        names = sorted(headers)
        listed, lines = ";".join(names), "".join(f"{name}:{headers[name]}\n" for name in names)
        request = hashlib.sha256(f"{target}\n{lines}\n{listed}\n{payload}".encode()).hexdigest()
        scope = f"{stamp[:8]}/{self._region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{request}"
        signature = hmac.digest(self._signing_key(scope), text.encode(), "sha256").hex()
        by = f"Credential={self._access_key}/{scope}, SignedHeaders={listed}, Signature={signature}"
        return {**headers, "Authorization": f"AWS4-HMAC-SHA256 {by}", "User-Agent": USER_AGENT}

    def _signing_key(self, scope: str) -> bytes:
        """The day's; the tuple is replaced as a whole, so threads may ask at once."""
        known, key = self._key
        if known != scope:
            key = f"AWS4{self._secret_key}".encode()
            for part in scope.split("/"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = (scope, key)
        return key


def _headers(asked: Mapping[str, Any]) -> dict[str, str]:
    found = {header: asked[given] for given, header in _HEADERS.items() if given in asked}
    return found | {f"{_META}{key.lower()}": value for key, value in asked.get("Metadata", {}).items()}


def _answer(method: str, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """As the client's methods answer."""
    found: dict[str, Any] = {member: headers[name] for member, name in _MEMBERS.items() if name in headers}
    length = headers.get("content-length")
    if length is not None and length.isdigit():
        found["ContentLength"] = int(length)
        if method == "GET" and len(content) != int(length):
            raise Dropped(f"The connection ended after {len(content)} of {length} bytes")
    found["Metadata"] = {
        name.lower().removeprefix(_META): value
        for name, value in headers.items()
        if name.lower().startswith(_META)
    }
    found["Body"] = content
    if method == "PUT" and content:
        found["CopyObjectResult"] = {"ETag": _element("ETag", content)}
    return found


def _page(content: bytes) -> dict[str, Any]:
    """As the client answers a listing. No key with a control character is one of ours, so none has to be encoded."""
    found = [
        {
            "Key": _element("Key", item),
            "Size": int(_element("Size", item) or 0),
            "ETag": _element("ETag", item),
        }
        for item in content.split(b"<Contents>")[1:]
    ]
    truncated = _element("IsTruncated", content) == "true"
    return {"Contents": found, "IsTruncated": truncated, "NextMarker": _element("NextMarker", content)}


def _error(name: str, status: int, content: bytes) -> ClientError:
    """The answer as the client's exception."""
    code = _element("Code", content) or str(status)
    answer: Any = {
        "Error": {"Code": code, "Message": _element("Message", content)},
        "ResponseMetadata": {"HTTPStatusCode": status if status >= _ERROR else _SERVER_ERROR},
    }
    return ClientError(answer, name)


def _element(name: str, content: bytes) -> str:
    """The text of a small XML document's element, "" where it has none; nothing else of the document is looked at."""
    start, end = f"<{name}>".encode(), f"</{name}>".encode()
    begin = content.find(start)
    stop = content.find(end, begin)
    return unescape(content[begin + len(start) : stop].decode(errors="replace")) if 0 <= begin < stop else ""
