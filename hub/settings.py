"""Settings, read from the environment (`.env.example` lists them all).

Two ways to run, by `HUB_ENV`:
* `embedded` (default): one machine, SQLite, all under `var/`; missing secrets are made once and kept there.
* `production`: nothing is guessed; what is missing stops the start with its name.
"""

import contextlib
import secrets
from pathlib import Path
from typing import Any

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from hub.logging import logging_config
from hub.menu import THEME_APPS
from hub.menu import UNFOLD as UNFOLD  # noqa: PLC0414  (a setting, which unfold reads)

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")

HUB_ENV = env.str("HUB_ENV", "embedded")
if HUB_ENV not in ("embedded", "production"):
    raise ImproperlyConfigured(f"HUB_ENV is {HUB_ENV!r}; it must be embedded or production")
EMBEDDED = HUB_ENV == "embedded"
_STATED = ("SECRET_KEY", "HUB_FERNET_KEYS", "ALLOWED_HOSTS", "HUB_URL", "DATABASE_URL", "EMAIL_URL")
if not EMBEDDED and (_missing := [name for name in _STATED if not env.str(name, "")]):
    raise ImproperlyConfigured(
        f"Set {', '.join(_missing)}: HUB_ENV=production guesses nothing (.env.example says what each is for)"
    )
VAR_DIR = Path(env.str("HUB_VAR", "") or BASE_DIR / "var")
VAR_DIR.mkdir(parents=True, exist_ok=True)


def _kept_secret(name: str, made: str) -> str:
    """The secret from the environment; in the embedded form, one made once and kept under var/."""
    value = str(env.str(name, ""))
    if value:
        return value
    path = VAR_DIR / f"{name.lower()}.secret"
    if not path.exists():
        scratch = path.with_suffix(f".{secrets.token_hex(4)}")
        scratch.touch(mode=0o600)
        scratch.write_text(made)
        with contextlib.suppress(FileExistsError):  # the first process to get here decides for all
            path.hardlink_to(scratch)
        scratch.unlink()
    return path.read_text().strip()


SECRET_KEY = _kept_secret("SECRET_KEY", secrets.token_urlsafe(50))
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
_kept_keys = _kept_secret("HUB_FERNET_KEYS", Fernet.generate_key().decode()).split(",")
HUB_FERNET_KEYS = [key.strip() for key in _kept_keys if key.strip()]
for _place, _key in enumerate(HUB_FERNET_KEYS, 1):
    try:
        Fernet(_key)
    except ValueError:
        raise ImproperlyConfigured(
            f"HUB_FERNET_KEYS: number {_place} is no Fernet key (32 bytes in URL-safe base64)"
        ) from None
DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if EMBEDDED else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HUB_URL = env.str("HUB_URL", "http://127.0.0.1:8000")  # what links in mails begin with

INSTALLED_APPS = [
    *THEME_APPS,
    "hub.apps.HubAdmin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "import_export",
    "simple_history",
    "django_structlog",
    "hub.apps.Hub",
    "lookups",
    "integrations",
    "crm",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "hub.middleware.SecurityHeaders",
    "hub.middleware.Probes",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "hub.middleware.RequestLog",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "hub.urls"
WSGI_APPLICATION = "hub.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _database() -> dict[str, Any]:
    """SQLite beside the code unless DATABASE_URL names another; both set up as docs/operations.md says."""
    url = env.str("DATABASE_URL", "") or f"sqlite:///{VAR_DIR / 'busbar.sqlite3'}"
    config: dict[str, Any] = env.db_url_config(url)
    if config["ENGINE"].endswith("sqlite3"):
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        }
        config["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
    # Kept open on SQLite too: opened anew, with its PRAGMAs, for each request it cost 5 ms of CPU, and the last one
    # to close writes the whole WAL back.
    config["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", 60)
    config["CONN_HEALTH_CHECKS"] = True
    config["ATOMIC_REQUESTS"] = False
    return config


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# One flow never takes the last of a host's workers (integrations/engine/turns.py): with three, two work for it.
WORKERS = env.int("HUB_WORKERS", 3)
# The queue only wakes a worker: ids alone travel through it (docs/decisions/0002-the-queue-only-wakes.md).
TASK_TIMEOUT = env.int("HUB_TASK_TIMEOUT", 6 * 3600)
Q_CLUSTER: dict[str, Any] = {
    "name": "busbar",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "timeout": TASK_TIMEOUT,
    "retry": TASK_TIMEOUT + 600,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "bulk": 1,
    "poll": env.float("HUB_QUEUE_POLL", 0.1),
    "catch_up": False,
    "scheduler": False,
    "recycle": 500,
    "label": "Queue",
    "log_level": "WARNING",
}
if Q_REDIS_URL := env.str("Q_REDIS_URL", ""):
    Q_CLUSTER["redis"] = Q_REDIS_URL
else:
    Q_CLUSTER["orm"] = "default"

PAYLOAD_STORE = env.str("PAYLOAD_STORE", "") or f"file://{VAR_DIR / 'payloads'}"
PAYLOAD_ENCRYPT = env.bool("PAYLOAD_ENCRYPT", False)
HUB_MAX_BODY = env.int("HUB_MAX_BODY", 10 * 1024 * 1024)  # bytes of a JSON message
HUB_MAX_BODY_BY_FLOW = env.dict("HUB_MAX_BODY_BY_FLOW", {"value": int}, default={})  # IDENTIFIER=bytes,…
HUB_LEASE_SECONDS = env.int("HUB_LEASE_SECONDS", 60)
HUB_HEARTBEAT_SECONDS = env.int("HUB_HEARTBEAT_SECONDS", 15)
HUB_LEFTOVER_SECONDS = env.int("HUB_LEFTOVER_SECONDS", 3600)  # then an ended run's half copies are removed
HUB_SWEEP_SECONDS = env.int("HUB_SWEEP_SECONDS", 10)
HUB_ERROR_MAILS_AN_HOUR = env.int("HUB_ERROR_MAILS_AN_HOUR", 200)  # of one flow; more are held back
HUB_RETENTION_DAYS = env.int("HUB_RETENTION_DAYS", 90)
HUB_APPROVE_ABOVE = env.int("HUB_APPROVE_ABOVE", 0)  # instances of a bulk resubmission; 0: never
# Networks connections may reach; empty means any but the machine's metadata service (docs/security.md).
HUB_ALLOWED_NETWORKS = env.list("HUB_ALLOWED_NETWORKS", default=[])
# Whether a forwarded client address (X-Forwarded-For) is believed: only behind a proxy that sets it.
HUB_TRUSTED_PROXIES = env.list("HUB_TRUSTED_PROXIES", default=[])

# Who may read /metrics: whoever shows this token; without one, only callers on this machine.
HUB_METRICS_TOKEN = env.str("HUB_METRICS_TOKEN", "")

EMAIL_CONFIG = env.email_url_config(env.str("EMAIL_URL", "") or "smtp://127.0.0.1:1025")
globals().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 20
HUB_MAIL_FROM = env.str("HUB_MAIL_FROM", "") or "busbar@localhost"  # who alerts' mails come from

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "hub.hashers.MachineSecretHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["hub.throttle.ThrottledBackend"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # for who comes to the log-in page itself

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["integrations.api.auth.CallerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["integrations.api.json.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["integrations.api.json.OrjsonParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "integrations.api.faults.answer_exception",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Busbar",
    "DESCRIPTION": "An open integration hub for electric, gas and water utilities.",
    "VERSION": "1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},  # asks no service outside
    "ENUM_NAME_OVERRIDES": {  # fields that are all called status
        "InstanceStatus": ["IN_PROGRESS", "COMPLETED", "FAILED", "ABORTED"],
        "ErrorStatus": ["open", "resubmitted", "recovered", "discarded"],
        "RecoveryJobStatus": ["awaiting", "running", "paused", "cancelled", "finished"],
        "IntegrationStatus": ["ACTIVATED", "CONFIGURED"],
        "TestStatus": ["SUCCESS", "FAILED"],
    },
}
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER: dict[str, Any] = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "SCOPES": {"flows": "Call the flows the client may call"},
    "CLIENT_SECRET_HASHER": "machine_secret",
    # RFC 9700 throughout; only the client credentials grant has an address here, and tokens are kept hashed.
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
}

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("HUB_STATIC", "") or VAR_DIR / "static")
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_USE_FINDERS = not any(STATIC_ROOT.iterdir())  # works without collectstatic, only uncompressed
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "media"},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = HUB_MAX_BODY + 1024 * 1024  # a message edited in the console, and its form
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # a changelist page of 100 lookup rows, edited in place

LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = ["hub.formats"]
TIME_ZONE = env.str("HUB_TIME_ZONE", "UTC")
USE_TZ = True

CSRF_FAILURE_VIEW = "hub.errors.csrf_failed"
# Behind HTTPS in production; the embedded form listens on the loopback address without it.
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", not EMBEDDED)
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$"]  # asked by machines, on the inside
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 0 if EMBEDDED else 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = not EMBEDDED
SECURE_HSTS_PRELOAD = not EMBEDDED
SESSION_COOKIE_AGE = 12 * 3600  # a long shift
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not EMBEDDED
if env.bool("HUB_BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = logging_config(
    form=env.str("HUB_LOG_FORMAT", "text" if EMBEDDED else "json"),
    level=env.str("HUB_LOG_LEVEL", "INFO").upper(),
)
