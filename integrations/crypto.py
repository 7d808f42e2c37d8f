"""Secrets at rest: Fernet with rotatable keys from HUB_FERNET_KEYS, newest first."""

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django import forms
from django.conf import settings
from django.db import models

FERNET = "gAAAA"  # how every Fernet token begins: its version, and a time before the year 2106


class SecretUnreadable(Exception):
    """A stored secret that no key in HUB_FERNET_KEYS opens: a key was dropped before secrets were rotated."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _current() -> MultiFernet:
    return _fernet(tuple(settings.HUB_FERNET_KEYS))


def encrypt(text: str) -> str:
    """Text in, Fernet token out, under the newest key."""
    return _current().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """A token of `encrypt` back to its text, by any of the configured keys; SecretUnreadable if none opens it."""
    try:
        return _current().decrypt(token.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable(
            "A stored secret cannot be read: the key it was written with is not in HUB_FERNET_KEYS. "
            "Put that key back behind the newest one, or enter the secret again."
        ) from None


def rotate(token: str) -> str:
    """The same secret under the newest key; SecretUnreadable if none opens it."""
    return encrypt(decrypt(token))


if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField  # subscripted for the type checker only


class EncryptedField(_TextField):
    """Kept as one Fernet token, so that dumps and SQL show only the token; `secrets_rotate` finds columns by it."""

    def value_to_string(self, obj: models.Model) -> str:
        """For dumpdata: the token, never the secret."""
        return str(self.get_prep_value(self.value_from_object(obj)))


class EncryptedURLField(EncryptedField):
    """An address that is as good as a password; reads as text. It cannot be searched for."""

    def from_db_value(self, value: str | None, *_: Any) -> str:
        """The decrypted address, "" where nothing is stored."""
        return decrypt(value) if value else ""

    def to_python(self, value: Any) -> Any:
        """Addresses as they are; a token, as fixtures hold it, decrypted."""
        return decrypt(value) if isinstance(value, str) and value.startswith(FERNET) else value or ""

    def get_prep_value(self, value: Any) -> str:
        """A token for the database; nothing for no address."""
        return encrypt(value) if value else ""

    def formfield(self, **kwargs: Any) -> Any:
        """Entered as an address, not as a text of many lines."""
        address: dict[str, Any] = {
            "form_class": forms.URLField,
            "widget": forms.URLInput,
            "assume_scheme": "https",
        }
        return super().formfield(**(address | kwargs))


class EncryptedJSONField(EncryptedField):
    """A JSON object kept as one Fernet token; reads as a dict, dumps and SQL show only the token."""

    def from_db_value(self, value: str | None, *_: Any) -> dict[str, Any]:
        """The decrypted object, {} where nothing is stored."""
        return json.loads(decrypt(value)) if value else {}

    def to_python(self, value: Any) -> Any:
        """Objects as they are; a token, as fixtures hold it, decrypted."""
        return json.loads(decrypt(value)) if isinstance(value, str) and value else value or {}

    def get_prep_value(self, value: Any) -> str:
        """A token for the database; nothing for an empty object."""
        return encrypt(json.dumps(value)) if value else ""
