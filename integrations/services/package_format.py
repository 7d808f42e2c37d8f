"""What a package is: a zip of JSON, a file an item, with a manifest of their digests (docs/console/packages.md)."""

import json
import re
import tomllib
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import jsonschema
from django.conf import settings

from integrations.engine.faults import InvalidMessage
from integrations.mapping.limits import EXPRESSION_CHARACTERS

FORMAT, VERSION = "busbar-package", 1
MANIFEST = "manifest.json"
FLOWS, CONNECTIONS, LOOKUPS, EXTENSIONS = "flows", "connections", "lookups", "extensions"
KINDS = (FLOWS, CONNECTIONS, LOOKUPS, EXTENSIONS)
MEMBER = re.compile(rf"({'|'.join(KINDS)})/[A-Za-z0-9][A-Za-z0-9._-]{{0,150}}\.json")
SHOWN = 300  # characters of a value in a preview

_TEXT = {"type": "string", "maxLength": 20_000}
_LONG_TEXT = {"type": "string"}  # as the model: no limit but the file's own
_NAME = {"type": "string", "minLength": 1, "maxLength": 200}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 2_147_483_647}
_COUNT_OR_NONE = {"type": ["integer", "null"], "minimum": 0, "maximum": 2_147_483_647}
_SECONDS = {"type": "number", "minimum": 0, "maximum": 86_400}
_NAMES = {"type": "array", "items": _NAME, "maxItems": 1000}
_OBJECT = {"type": "object"}
_BOOLEAN = {"type": "boolean"}


def _record(*optional: str, **properties: Any) -> dict[str, Any]:
    """An object of just these members; all required but the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_SCHEDULE = _record(
    name=_NAME,
    cron=_TEXT,
    timeZone=_NAME,
    intervalSeconds=_COUNT_OR_NONE,
    parameters=_OBJECT,
    enabled=_BOOLEAN,
)
_EXPECTED = _record(
    name=_NAME, pattern=_NAME, cron=_TEXT, timeZone=_NAME, withinHours=_COUNT, enabled=_BOOLEAN
)
_EXTENSION = _record(
    "sample",
    pointer=_TEXT,
    expression={"type": "string", "maxLength": EXPRESSION_CHARACTERS},
    active=_BOOLEAN,
    position=_COUNT,
    reason={"type": "string", "minLength": 1, "maxLength": 300},
    sample={},
)
SCHEMAS: dict[str, dict[str, Any]] = {
    MANIFEST: _record(
        format={"const": FORMAT},
        formatVersion={"type": "integer"},
        busbar=_TEXT,
        madeAt=_TEXT,
        hub=_TEXT,
        packages=_NAMES,
        files={
            "type": "object",
            "additionalProperties": _record(
                sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"}, size=_COUNT
            ),
        },
    ),
    FLOWS: _record(
        identifier=_NAME,
        name=_NAME,
        package=_TEXT,
        version=_TEXT,
        cloneOf={"type": ["string", "null"]},
        standsFor={"type": "object", "additionalProperties": {"type": "object"}},
        active=_BOOLEAN,
        tracing={"enum": ["production", "audit"]},
        retentionDays=_COUNT_OR_NONE,
        acknowledgementHours=_COUNT,
        schedules={"type": "array", "items": _SCHEDULE, "maxItems": 500},
        expectedFiles={"type": "array", "items": _EXPECTED, "maxItems": 500},
    ),
    CONNECTIONS: _record(
        name={"type": "string", "minLength": 1, "maxLength": 100},
        adapter=_NAME,
        role={"enum": ["invoke", "trigger", "both"]},
        package={"type": "string", "maxLength": 100},
        description={"type": "string", "maxLength": 300},
        settings=_OBJECT,
        secrets=_NAMES,
        secretsExpireOn={"type": ["string", "null"], "format": "date"},
        hostKey=_LONG_TEXT,
        trust=_NAMES,
        agentGroup={"type": ["string", "null"], "maxLength": 50},
        catalogUrl={"type": "string", "maxLength": 200},
        connectTimeout=_SECONDS,
        readTimeout=_SECONDS,
        retries=_COUNT,
        parallel=_COUNT_OR_NONE,
    ),
    LOOKUPS: _record(
        name={"type": "string", "minLength": 1, "maxLength": 100},
        kind={"enum": ["table", "properties"]},
        package={"type": "string", "maxLength": 100},
        description=_LONG_TEXT,
        columns={"type": "array", "items": _NAME, "minItems": 2, "maxItems": 50},
        rows={"type": "array", "items": {"type": ["array", "object"]}, "maxItems": 200_000},
    ),
    EXTENSIONS: _record(
        flow=_NAME,
        mapping=_NAME,
        baseDigest=_TEXT,
        extensions={"type": "array", "items": _EXTENSION, "maxItems": 500},
    ),
}


@dataclass(slots=True)
class Package:
    """A package that has been read: its manifest, and its items by kind."""

    manifest: dict[str, Any]
    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(slots=True)
class Who:
    """On whose behalf: the trail's name and address, and the person as lookups' history keeps it."""

    actor: str
    address: str | None = None
    person: Any = None


@dataclass(slots=True)
class Entry:
    """One item of a package beside what is here. `state`: added, changed, unchanged, or refused for `problems`.

    `changes`: (what, before, after); `notes`: what is left for a person to do or to know.
    """

    kind: str
    name: str
    state: str = "unchanged"
    version: str = ""
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)


def differences(
    before: dict[str, Any], after: dict[str, Any], *, under: str = ""
) -> list[tuple[str, str, str]]:
    """What differs, member by member, those of objects too: (place, before, after), as text."""
    found: list[tuple[str, str, str]] = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        place = f"{under}{name}"
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, under=f"{place}.")
        else:
            found.append((place, shown(old), shown(new)))
    return found


def shown(value: Any) -> str:
    """A value on one line, cut; "" for none."""
    if value in (None, "", [], {}):
        return ""
    text = value if isinstance(value, str) else _json(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _json(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def check_schema(kind: str, content: Any, place: str) -> None:
    """InvalidMessage names the file and the first place in it that is not as it should be."""
    error = jsonschema.exceptions.best_match(_validator(kind).iter_errors(content))
    if error is not None:
        where = "/".join(str(part) for part in error.absolute_path)
        said = f"{place}, at {'/' + where if where else 'its beginning'}: {error.message[:SHOWN]}"
        raise InvalidMessage(said, hint="The file was edited, or it is of another version.")


@lru_cache(maxsize=8)
def _validator(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(SCHEMAS[kind], format_checker=jsonschema.FormatChecker(["date"]))


def item_name(kind: str, item: dict[str, Any]) -> str:
    """What an item of a kind is called."""
    if kind == EXTENSIONS:
        return f"{item['flow']}: {item['mapping']}"
    return str(item["identifier" if kind == FLOWS else "name"])


def slug(name: str) -> str:
    """A name as a file's: letters, digits, . _ - alone."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip("._-")[:120] or "item"


def hub_version() -> str:
    """The version of the code that runs."""
    try:
        project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    except (OSError, ValueError, KeyError):
        return ""
    return str(project.get("version", ""))
