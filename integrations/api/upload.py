"""A file that comes as the part `file` of a multipart body, or as the first file part of another name."""

from rest_framework.request import Request

from integrations.api.body import BodyStream, read_bounded
from integrations.api.errors import BadMultipart, WrongMediaType
from integrations.api.multipart import Parts, boundary_of, header_parameters


def file_of(request: Request, limit: int) -> tuple[str, bytes]:
    """The file's name and bytes, at most `limit` of them; WrongMediaType, BadMultipart or TooLarge."""
    content_type = request._request.META.get("CONTENT_TYPE", "")
    kind, _ = header_parameters(content_type)
    if not kind.startswith("multipart/"):
        raise WrongMediaType(
            f"The content type {content_type[:100]!r} is not read here",
            hint="Send multipart/form-data with the part file.",
        )
    found: tuple[str, bytes] | None = None
    for part in Parts(BodyStream(request._request), boundary_of(content_type)):
        if found is None and (part.name == "file" or part.file_name):
            found = part.file_name, read_bounded(part, limit, what="The file")
    if found is None:
        raise BadMultipart("The part `file` is missing")
    return found
