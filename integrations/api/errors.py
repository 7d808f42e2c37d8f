"""Faults of a call itself, before any flow sees it."""

from integrations.engine.faults import Fault, TechnicalFault


class BadJson(TechnicalFault):
    """The body is not JSON the hub can keep as it was sent."""

    code = "HUB-BAD-JSON"
    status = 400
    title = "The body is not JSON"


class BadMultipart(TechnicalFault):
    """The parts of a multipart body cannot be told apart, or one is missing."""

    code = "HUB-BAD-MULTIPART"
    status = 400
    title = "The multipart body is not valid"


class BodyCut(TechnicalFault):
    """The caller went away, or sent less than it announced."""

    code = "HUB-BODY-CUT"
    status = 400
    title = "The body ended early"


class BadRequest(TechnicalFault):
    """A parameter, header or field is not what the endpoint takes."""

    code = "HUB-INVALID"
    status = 400
    title = "The request is not valid"


class TooLarge(TechnicalFault):
    """The body is larger than the flow takes."""

    code = "HUB-TOO-LARGE"
    status = 413
    title = "The body is too large"


class WrongMediaType(TechnicalFault):
    """The Content-Type is not one the endpoint reads."""

    code = "HUB-MEDIA-TYPE"
    status = 415
    title = "Unsupported content type"


class Unauthenticated(Fault):
    """No credentials, or not the right ones: one text for all, so that it tells nothing."""

    code = "HUB-AUTH"
    status = 401
    title = "Not authenticated"


class Forbidden(Fault):
    """The caller is known and may not do this."""

    code = "HUB-FORBIDDEN"
    status = 403
    title = "Not permitted"


class NotFound(TechnicalFault):
    """There is nothing at this address, or nothing by this id."""

    code = "HUB-NOT-FOUND"
    status = 404
    title = "Not found"


class WrongMethod(TechnicalFault):
    """The address takes other methods; Allow names them."""

    code = "HUB-METHOD"
    status = 405
    title = "Method not allowed"
