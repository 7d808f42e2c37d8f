"""Django system checks: settings and flows that cannot work are said at start, each with what to do."""

from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  (Django's name for it)

from integrations.engine.registry import coded
from integrations.engine.spec import FlowSpec
from integrations.mapping import MappingError, check

Configs = Sequence[AppConfig] | None
PAYLOAD_STORES = ("file", "s3")


def _each(values: Sequence[str], good: Callable[[str], Any]) -> list[str]:
    """The values that `good` does not take."""
    bad = []
    for value in values:
        try:
            good(value)
        except ValueError:
            bad.append(value)
    return bad


@register(Tags.security)
def check_keys(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E001: keys for secrets that are no Fernet keys."""
    bad = _each(settings.HUB_FERNET_KEYS, Fernet)
    if settings.HUB_FERNET_KEYS and not bad:
        return []
    said = f"{len(bad)} of HUB_FERNET_KEYS are no Fernet keys" if bad else "HUB_FERNET_KEYS is empty"
    hint = "Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
    return [Error(said, hint=hint, id="integrations.E001")]


@register()
def check_networks(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E002: addresses of networks and proxies that are none."""
    found: list[CheckMessage] = []
    for name in ("HUB_ALLOWED_NETWORKS", "HUB_TRUSTED_PROXIES"):
        bad = _each(getattr(settings, name), lambda value: ip_network(value, strict=False))
        if bad:
            hint = "Give networks as 10.0.0.0/8 or single addresses, separated by commas."
            found.append(
                Error(f"{name} holds {', '.join(map(repr, bad))}", hint=hint, id="integrations.E002")
            )
    return found


@register()
def check_queue(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E003: queue settings under which work is lost or done twice (docs/decisions/0002)."""
    queue = settings.Q_CLUSTER
    wrong = [
        ("max_attempts", queue.get("max_attempts") != 1, "set it to 1: the sweeper wakes what was not done"),
        (
            "ack_failures",
            not queue.get("ack_failures"),
            "set it to True: a task that kills its worker must not return",
        ),
        ("retry", queue.get("retry", 0) <= (queue.get("timeout") or 0), "make it longer than timeout"),
        (
            "scheduler",
            queue.get("scheduler", True),
            "set it to False: schedules are ticked by manage.py hub_beat",
        ),
    ]
    return [
        Error(f"Q_CLUSTER[{name!r}] does not hold", hint=hint.capitalize() + ".", id="integrations.E003")
        for name, is_wrong, hint in wrong
        if is_wrong
    ]


@register()
def check_leases(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E004: leases that run out between two heartbeats."""
    lease, beat = settings.HUB_LEASE_SECONDS, settings.HUB_HEARTBEAT_SECONDS
    if 0 < beat * 2 <= lease:
        return []
    said = f"HUB_LEASE_SECONDS is {lease} and HUB_HEARTBEAT_SECONDS is {beat}: leases run out"
    return [
        Error(
            said, hint="Make the lease at least twice the heartbeat, e.g. 60 and 15.", id="integrations.E004"
        )
    ]


@register()
def check_places(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E005, E006: where payloads are kept, and what links in mails begin with."""
    found: list[CheckMessage] = []
    if urlsplit(settings.PAYLOAD_STORE).scheme not in PAYLOAD_STORES:
        hint = "Use file:///path or s3://bucket/prefix."
        found.append(Error(f"PAYLOAD_STORE is {settings.PAYLOAD_STORE!r}", hint=hint, id="integrations.E005"))
    address = urlsplit(settings.HUB_URL)
    if address.scheme not in ("http", "https") or not address.netloc:
        hint = "Give the console's address as people reach it, e.g. https://hub.example.com."
        found.append(Error(f"HUB_URL is {settings.HUB_URL!r}", hint=hint, id="integrations.E006"))
    return found


@register(Tags.security, deploy=True)
def check_production(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """W001, W002: production without what production needs."""
    if settings.EMBEDDED:
        return []
    found: list[CheckMessage] = []
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        hint = "Set DATABASE_URL to a PostgreSQL database: several hosts, and volume, need one."
        found.append(Warning("The database is SQLite", hint=hint, id="integrations.W001"))
    if urlsplit(settings.HUB_URL).scheme != "https":
        hint = "Set HUB_URL to the address people and partners use."
        found.append(Warning(f"HUB_URL is {settings.HUB_URL}, not https", hint=hint, id="integrations.W002"))
    return found


@register()
def check_flows(app_configs: Configs, **_: Any) -> list[CheckMessage]:
    """E010 to E012: flows that call a flow there is not, whose mapping is broken, or that share an address."""
    known = {spec.identifier for spec in coded()}
    found: list[CheckMessage] = []
    for spec in coded():
        found += _calls(spec, known) + _mappings(spec)
    return found + _shared_aliases()


def _calls(spec: FlowSpec, known: set[str]) -> list[CheckMessage]:
    wanted = [*spec.calls, *([spec.package.error_handler] if spec.package.error_handler else [])]
    return [
        Error(
            f"{spec.identifier} calls {name}, which no module declares",
            hint="Mend its `calls`.",
            id="integrations.E010",
        )
        for name in wanted
        if name not in known
    ]


def _mappings(spec: FlowSpec) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name in spec.mapping_names:
        try:
            check(spec.mappings[name])
        except (MappingError, OSError) as error:
            hint = f"Mend {name}.jsonata beside the flow's module."
            found.append(
                Error(f"{spec.identifier}: mapping {name}: {error}", hint=hint, id="integrations.E011")
            )
    return found


def _shared_aliases() -> list[CheckMessage]:
    """Aliases that several flows claim, or that are another flow's identifier, at one resource."""
    claims: dict[tuple[str, str], list[str]] = {}
    for spec in coded():
        at = spec.trigger.resource
        for name in (spec.identifier, *spec.aliases):
            claims.setdefault((name.lower(), at), []).append(spec.identifier)
    return [
        Warning(
            f"The alias {alias} of {', '.join(owners)} serves nobody: it is not unambiguous",
            hint="Take it from all but one flow.",
            id="integrations.W010",
        )
        for (alias, _), owners in claims.items()
        if len(owners) > 1
    ]
