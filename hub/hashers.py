"""A fast hasher for secrets the hub makes itself."""

import hashlib
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher, mask_hash
from django.utils.crypto import constant_time_compare

SHORTEST = 24


class MachineSecretHasher(BasePasswordHasher):
    """Salted SHA-256 for long random secrets of clients: `machine_secret$salt$hex`.

    A slow hash protects what can be guessed; 24 random characters cannot, and a slow hash would cost every
    request 250 to 450 ms (docs/security.md, S4). Shorter secrets are refused, so that a person's password
    never lands here.
    """

    algorithm = "machine_secret"

    def encode(self, password: str, salt: str) -> str:
        """The stored form; ValueError if the secret is under 24 characters."""
        if len(password) < SHORTEST:
            raise ValueError(f"A machine secret has at least {SHORTEST} characters, not {len(password)}")
        if not salt or "$" in salt:
            raise ValueError("A salt is needed, without $")
        digest = hashlib.sha256(f"{salt}${password}".encode()).hexdigest()
        return f"{self.algorithm}${salt}${digest}"

    def verify(self, password: str, encoded: str) -> bool:
        """Whether the secret is the stored one, in constant time."""
        digest = hashlib.sha256(f"{self.decode(encoded)['salt']}${password}".encode()).hexdigest()
        return constant_time_compare(digest, self.decode(encoded)["hash"])

    def decode(self, encoded: str) -> dict[str, Any]:
        """The stored form's parts."""
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        """What a page may show of it."""
        parts = self.decode(encoded)
        return {name: part if name == "algorithm" else mask_hash(part) for name, part in parts.items()}

    def must_update(self, encoded: str) -> bool:
        """Never: there is no cost factor to raise."""
        return False

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing to even out: one SHA-256 takes microseconds whatever the secret."""
