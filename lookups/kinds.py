"""What the value of a property may be."""

import re
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import models

LONGEST_CELL = 4000  # characters; a spreadsheet cell takes 32,767
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_address = EmailValidator()


class Kind(models.TextChoices):
    """The kinds a property may declare."""

    TEXT = "text", "Text"
    BOOLEAN = "boolean", "true or false"
    CHOICE = "choice", "One of a list"
    INTEGER = "integer", "Whole number"
    EMAILS = "emails", "E-mail addresses, separated by commas"


def cell_of(value: object) -> str:
    """A value as a cell keeps it: text, trimmed, with plain line ends. None is blank, True is `true`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).replace("\r\n", "\n").replace("\r", "\n").strip()


def cell_problem(value: str) -> str:
    """Why a text cannot be a cell; "" if it can."""
    if len(value) > LONGEST_CELL:
        return f"has {len(value)} characters; {LONGEST_CELL} is the most"
    if found := _CONTROL.search(value):
        return f"has the control character U+{ord(found.group()):04X}"
    return ""


def value_problem(kind: str, value: str, choices: Sequence[str] = ()) -> str:
    """Why a value is not of its kind, as the end of a sentence that begins with its name; "" if it is."""
    if kind == Kind.BOOLEAN and value.casefold() not in ("true", "false"):
        return f"is {value!r}, not true or false"
    if kind == Kind.CHOICE and choice_of(value, choices) is None:
        return f"is {value!r}, not one of {', '.join(choices)}"
    if kind == Kind.INTEGER and not _INTEGER.fullmatch(value):
        return f"is {value!r}, not a whole number"
    if kind == Kind.EMAILS:
        return addresses_problem(value)
    return ""


def choice_of(value: str, choices: Sequence[str]) -> str | None:
    """The choice that a value spells, whatever its case; None if there is none."""
    return next((one for one in choices if one.casefold() == value.casefold()), None)


def addresses_of(value: str) -> list[str]:
    """The addresses in a comma-separated text; blanks between commas do not count."""
    return [one.strip() for one in value.split(",") if one.strip()]


def addresses_problem(value: str) -> str:
    """As `value_problem`, for e-mail addresses."""
    found = addresses_of(value)
    for one in found:
        try:
            _address(one)
        except ValidationError:
            return f"has {one!r}, which is no e-mail address"
    return "" if found else "has no e-mail address"
