"""The operations of OCI's native Object Storage API that a file store needs, on buckets on disk.

Paths, parameters and headers are those of the public API reference, version 20160918.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from demo.oci_bucket import Bucket, Content, Stored, Upload, forget
from demo.oci_messages import Reply, Request, document
from demo.oci_signature import Refusal

_MOST_LISTED = 1000
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request asks for. `takes_file`: its body is an object's, and not signed."""

    name: str = "Unknown"
    bucket: str = ""
    key: str = ""
    takes_file: bool = False
    do: Callable[["Calls", "Operation", Request], Reply] | None = None


class Calls:
    """The buckets of one namespace."""

    def __init__(self, namespace: str, buckets: Mapping[str, Bucket], *, page: int = _MOST_LISTED) -> None:
        """`page`: the most that one listing shows."""
        self.namespace, self.buckets, self.most = namespace, dict(buckets), page

    def operation(self, method: str, target: str) -> Operation:
        """What this method on this path is."""
        path = target.partition("?")[0]
        for (verb, pattern), (name, do) in _OPERATIONS.items():
            found = re.fullmatch(pattern, path)
            if found and verb == method:
                named = {key: unquote(value) for key, value in found.groupdict().items()}
                takes_file = name in ("PutObject", "UploadPart")
                return Operation(name, named.get("bucket", ""), named.get("key", ""), takes_file, do)
        return Operation()

    def answer(self, operation: Operation, request: Request) -> Reply:
        """Do it; Refusal where that cannot be."""
        if operation.do is None:
            raise Refusal(404, "NotFound", f"There is no {request.method} {request.target}")
        named = re.match(r"/n/([^/]+)", request.target)
        if named and unquote(named[1]) != self.namespace:
            raise Refusal(404, "NamespaceNotFound", f"There is no namespace '{unquote(named[1])}'")
        return operation.do(self, operation, request)

    def bucket(self, operation: Operation) -> Bucket:
        """The bucket that is meant."""
        if operation.bucket not in self.buckets:
            raise Refusal(
                404,
                "BucketNotFound",
                f"Either the bucket named '{operation.bucket}' does not exist in the namespace "
                f"'{self.namespace}' or you are not authorized to access it",
            )
        return self.buckets[operation.bucket]


def _namespace(calls: Calls, _: Operation, __: Request) -> Reply:
    return document(calls.namespace)


def _buckets(calls: Calls, _: Operation, request: Request) -> Reply:
    if not request.query.get("compartmentId"):
        raise Refusal(400, "MissingParameter", "compartmentId is missing")
    return document([{"name": name, "namespace": calls.namespace} for name in sorted(calls.buckets)])


def _list(calls: Calls, operation: Operation, request: Request) -> Reply:
    query, bucket = request.query, calls.bucket(operation)
    if query.get("delimiter", "/") != "/":
        raise Refusal(400, "InvalidDelimiter", "The only delimiter is /")
    page = bucket.page(
        prefix=query.get("prefix", ""),
        delimiter=query.get("delimiter", ""),
        start=query.get("start", ""),
        after=query.get("startAfter", ""),
        end=query.get("end", ""),
        limit=min(int(query.get("limit") or calls.most), calls.most),
    )
    fields = query.get("fields", "name").split(",")
    listed: dict[str, Any] = {
        "objects": [
            {key: value for key, value in _summary(name, found).items() if key in fields}
            for name, found in page.objects
        ]
    }
    if page.prefixes:
        listed["prefixes"] = page.prefixes
    if page.next_start is not None:
        listed["nextStartWith"] = page.next_start
    return document(listed)


def _summary(name: str, found: Stored) -> dict[str, Any]:
    moment = found.modified.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "name": name,
        "size": found.size,
        "etag": found.etag,
        "md5": found.md5,
        "timeCreated": moment,
        "timeModified": moment,
    }


def _get(calls: Calls, operation: Operation, request: Request) -> Reply:
    found = calls.bucket(operation).get(operation.key)
    wanted = request.headers.get("if-match")
    if wanted and wanted != found.etag:
        raise Refusal(412, "IfMatchFailed", "The entity tag does not match")
    headers = _headers(found)
    first, length = 0, found.size
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked and any(asked.groups()):
        first, length = _span(asked[1], asked[2], found.size)
        headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{found.size}"
    return Reply(206 if asked else 200, headers, b"", found.contents, (first, length))


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    begin = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if begin > end:
        raise Refusal(416, "InvalidRange", f"The object has {size} bytes")
    return begin, end - begin + 1


def _headers(found: Stored) -> dict[str, str]:
    md5 = "opc-multipart-md5" if found.parts else "content-md5"
    return {
        "Content-Type": found.content_type,
        "ETag": found.etag,
        md5: found.md5,
        "Last-Modified": format_datetime(found.modified.astimezone(UTC), usegmt=True),
        **{f"opc-meta-{key}": value for key, value in found.metadata.items()},
    }


def _put(calls: Calls, operation: Operation, request: Request) -> Reply:
    bucket = calls.bucket(operation)
    content = _received(bucket, request)
    made = bucket.keep(operation.key, Stored((content,), _metadata(request.headers)), **_conditions(request))
    return Reply(200, {"ETag": made.etag, "opc-content-md5": made.md5})


def _received(bucket: Bucket, request: Request) -> Content:
    content = bucket.receive(request.stream, request.size)
    said, has = request.headers.get("content-md5"), base64.b64encode(content.md5).decode()
    if said and said != has:
        forget([content])
        raise Refusal(
            400,
            "UnmatchedContentMD5",
            f"The computed MD5 of the request body ({has}) does not match the Content-MD5 header ({said})",
        )
    return content


def _metadata(headers: Mapping[str, Any]) -> dict[str, str]:
    beginning = "opc-meta-"
    return {key[len(beginning) :]: str(value) for key, value in headers.items() if key.startswith(beginning)}


def _conditions(request: Request) -> dict[str, str]:
    return {
        "if_match": request.headers.get("if-match", ""),
        "if_none_match": request.headers.get("if-none-match", ""),
    }


def _delete(calls: Calls, operation: Operation, request: Request) -> Reply:
    calls.bucket(operation).delete(operation.key, if_match=request.headers.get("if-match", ""))
    return Reply(204)


def _rename(calls: Calls, operation: Operation, request: Request) -> Reply:
    wanted = json.loads(request.document)
    made = calls.bucket(operation).rename(
        wanted["sourceName"],
        wanted["newName"],
        if_match=wanted.get("srcObjIfMatchETag") or "",
        new_if_match=wanted.get("newObjIfMatchETag") or "",
        new_if_none_match=wanted.get("newObjIfNoneMatchETag") or "",
    )
    return Reply(200, {"ETag": made.etag})


def _begin(calls: Calls, operation: Operation, request: Request) -> Reply:
    bucket, wanted = calls.bucket(operation), json.loads(request.document)
    bucket.check(wanted["object"], **_conditions(request))
    upload = Upload(wanted["object"], _metadata(wanted.get("metadata") or {}))
    return document({"uploadId": bucket.begin(upload), **_upload(calls, bucket, upload)})


def _upload(calls: Calls, bucket: Bucket, upload: Upload) -> dict[str, str]:
    return {
        "namespace": calls.namespace,
        "bucket": bucket.name,
        "object": upload.name,
        "timeCreated": upload.begun.isoformat(),
    }


def _uploads(calls: Calls, operation: Operation, request: Request) -> Reply:
    bucket, first = calls.bucket(operation), int(request.query.get("page") or 0)
    under_way = [
        {"uploadId": key, **_upload(calls, bucket, one)} for key, one in sorted(bucket.uploads.items())
    ]
    last = first + min(int(request.query.get("limit") or calls.most), calls.most)
    more = {"opc-next-page": str(last)} if last < len(under_way) else {}
    return document(under_way[first:last], headers=more)


def _part(calls: Calls, operation: Operation, request: Request) -> Reply:
    bucket, query = calls.bucket(operation), request.query
    bucket.upload(query["uploadId"], operation.key)
    content = _received(bucket, request)
    etag = bucket.part(query["uploadId"], operation.key, int(query["uploadPartNum"]), content)
    return Reply(200, {"ETag": etag, "opc-content-md5": base64.b64encode(content.md5).decode()})


def _parts(calls: Calls, operation: Operation, request: Request) -> Reply:
    upload = calls.bucket(operation).upload(request.query["uploadId"], operation.key)
    return document(
        [
            {
                "partNumber": number,
                "etag": etag,
                "md5": base64.b64encode(content.md5).decode(),
                "size": content.size,
            }
            for number, (etag, content) in sorted(upload.parts.items())
        ]
    )


def _commit(calls: Calls, operation: Operation, request: Request) -> Reply:
    chosen = [(int(one["partNum"]), one["etag"]) for one in json.loads(request.document)["partsToCommit"]]
    bucket = calls.bucket(operation)
    made = bucket.commit(request.query["uploadId"], operation.key, chosen, **_conditions(request))
    return Reply(200, {"ETag": made.etag, "opc-multipart-md5": made.md5})


def _abort(calls: Calls, operation: Operation, request: Request) -> Reply:
    calls.bucket(operation).abort(request.query["uploadId"], operation.key)
    return Reply(204)


_BUCKET = r"/n/[^/]+/b/(?P<bucket>[^/]+)"
_OBJECT, _UPLOAD = _BUCKET + r"/o/(?P<key>.+)", _BUCKET + r"/u/(?P<key>.+)"
_OPERATIONS: dict[tuple[str, str], tuple[str, Callable[[Calls, Operation, Request], Reply]]] = {
    ("GET", r"/n/?"): ("GetNamespace", _namespace),
    ("GET", r"/n/[^/]+/b/?"): ("ListBuckets", _buckets),
    ("GET", _BUCKET + r"/o/?"): ("ListObjects", _list),
    ("HEAD", _OBJECT): ("HeadObject", _get),
    ("GET", _OBJECT): ("GetObject", _get),
    ("PUT", _OBJECT): ("PutObject", _put),
    ("DELETE", _OBJECT): ("DeleteObject", _delete),
    ("POST", _BUCKET + r"/actions/renameObject"): ("RenameObject", _rename),
    ("POST", _BUCKET + r"/u/?"): ("CreateMultipartUpload", _begin),
    ("GET", _BUCKET + r"/u/?"): ("ListMultipartUploads", _uploads),
    ("PUT", _UPLOAD): ("UploadPart", _part),
    ("GET", _UPLOAD): ("ListMultipartUploadParts", _parts),
    ("POST", _UPLOAD): ("CommitMultipartUpload", _commit),
    ("DELETE", _UPLOAD): ("AbortMultipartUpload", _abort),
}
