"""What can go wrong at an edge, in the hub's words: vendor exceptions become one of these in the adapter.

Each is a whole sentence that names what was tried, and carries a hint of what to do where one is known.
`passing` says whether trying again may help; `sent` whether the request may have reached the target.
"""

SERVER_ERROR = 500


class AdapterError(Exception):
    """Anything an adapter could not do."""

    passing = False
    sent = False

    def __init__(self, text: str, *, hint: str = "", detail: str = "") -> None:
        """`text`: one sentence; `hint`: what to do; `detail`: the vendor's own words, kept beside."""
        super().__init__(text)
        self.text = text
        self.hint = hint
        self.detail = detail


class Misconfigured(AdapterError):
    """The connection's own settings cannot work: a missing host key, a port that is no number."""


class Unreachable(AdapterError):
    """No answer at the address: refused, no route, name not found."""

    passing = True


class TimedOut(AdapterError):
    """Connected, then silence for longer than the connection allows."""

    passing = True
    sent = True


class Dropped(AdapterError):
    """The connection broke midway."""

    passing = True
    sent = True


class LoginRefused(AdapterError):
    """The system does not take these credentials."""


class HostKeyRefused(AdapterError):
    """The server's host key is unknown or not the one stored; carries what it showed."""

    def __init__(self, text: str, *, offered: str, fingerprint: str, hint: str = "") -> None:
        """`offered`: the key as `type base64`; `fingerprint`: SHA256:… as OpenSSH prints it."""
        super().__init__(text, hint=hint)
        self.offered = offered
        self.fingerprint = fingerprint


class CertificateRefused(AdapterError):
    """TLS: self-signed, expired, for another host, or signed by nobody trusted."""


class AddressRefused(AdapterError):
    """The address is not one connections may reach (HUB_ALLOWED_NETWORKS, metadata services)."""


class NotFound(AdapterError):
    """The file, directory, bucket or path is not there."""


class NotPermitted(AdapterError):
    """The login is good, this operation is not allowed to it."""


class AlreadyExists(AdapterError):
    """The name at the target is taken by something else."""


class NotStarted(AdapterError):
    """One of several files that was not begun, because one before it failed."""

    passing = True


class TargetFull(AdapterError):
    """No space or quota left at the target."""


class Unwhole(AdapterError):
    """What arrived is not what was sent: size or checksum differ."""

    passing = True


class BadMessage(AdapterError):
    """What was to be sent is not what the target describes: an unknown member, a wrong type. Nothing was sent."""


class BadAnswer(AdapterError):
    """The target answered with success, but not with what its description promises; its answer is kept."""

    sent = True

    def __init__(self, text: str, *, status: int = 0, body: bytes = b"", hint: str = "") -> None:
        """`status`: HTTP status; `body`: what it said, cut at 64 KiB."""
        super().__init__(text, hint=hint)
        self.status = status
        self.body = body


class BadName(AdapterError):
    """A file name that cannot be used safely: not UTF-8, a path, a control character."""


class Refused(AdapterError):
    """A REST or SOAP target answered with something other than success; its answer is kept."""

    def __init__(
        self, text: str, *, status: int, body: bytes = b"", retry_after: float | None = None, hint: str = ""
    ) -> None:
        """`status`: HTTP status; `body`: what it said, cut at 64 KiB; `retry_after`: seconds it asked for."""
        super().__init__(text, hint=hint)
        self.status = status
        self.body = body
        self.retry_after = retry_after
        self.passing = status in (408, 425, 429) or status >= SERVER_ERROR
        self.sent = True
