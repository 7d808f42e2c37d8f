"""Logging: one line an event, JSON for machines or text for people, with secrets masked on the way out."""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.types import Processor

MASK = "[masked]"
_SECRET_NAMES = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|api[-_]?key|authori[sz]ation|private[-_]?key|credential|cookie|fernet|csrf"
)
_HARMLESS_NAMES = frozenset({"token_type", "token_count", "secret_name", "secrets_set"})
_IN_TEXT = (
    re.compile(r"(?i)\b((?:basic|bearer)\s+)[A-Za-z0-9+/=._~-]{6,}"),
    re.compile(
        r"(?i)\b((?:[a-z_]*(?:password|passphrase|secret|token|api[-_]key))[\"']?\s*[=:]\s*)[\"']?[^\s\"',;&}]+"
    ),
    re.compile(r"(://[^\s:/@]+:)[^\s@/]+(?=@)"),
    re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
)
_DEEPEST = 8
_CHATTY = ("paramiko", "botocore", "boto3", "urllib3", "s3transfer")


def _masked_text(text: str) -> str:
    for pattern in _IN_TEXT:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text


def masked(value: Any, *, depth: int = 0) -> Any:
    """The value with secrets masked: by name in mappings, by shape in texts; nesting beyond 8 is cut off."""
    if isinstance(value, str):
        return _masked_text(value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {name: _by_name(name, item, depth) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(item, depth=depth + 1) for item in value]
    return value


def _by_name(name: object, value: Any, depth: int) -> Any:
    lowered = str(name).lower()
    if value not in (None, "") and lowered not in _HARMLESS_NAMES and _SECRET_NAMES.search(lowered):
        return MASK
    return masked(value, depth=depth + 1)


def mask_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Structlog processor: every event of the hub, of Django and of the libraries goes through here."""
    return {
        name: value if name.startswith("_") else _by_name(name, value, 0) for name, value in event.items()
    }


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.stdlib.ExtraAdder(),
    ]


def _last(form: str) -> list[Processor]:
    """Tracebacks become text before masking, so that a secret in one is masked too."""
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    if form == "json":
        return [*last, structlog.processors.JSONRenderer()]
    return [*last, structlog.dev.ConsoleRenderer(colors=False)]


def logging_config(*, form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING; `form` is "json" or "text", `level` a logging level's name. Sets up structlog too."""
    if form not in ("json", "text"):
        raise ValueError(f"HUB_LOG_FORMAT is {form!r}; it must be json or text")
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "hub": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _shared(),
                "processors": _last(form),
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "hub"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would write a second line, or mail tracebacks with request data in them.
            "django": {"handlers": [], "level": level, "propagate": True},
            # A line for each id that is queued tells an operator nothing.
            "django-q": {"handlers": [], "level": "WARNING", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # These speak of every packet and connection below WARNING.
            **{
                name: {"level": "WARNING"}
                for name in ("paramiko", "botocore", "boto3", "urllib3", "s3transfer")
            },
        },
    }
