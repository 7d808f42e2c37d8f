"""The content-addressed payload store: one place for messages, answers and attachments, whichever host works.

Bytes are under the SHA-256 of their plain form, in a folder or a bucket (PAYLOAD_STORE), encrypted where
PAYLOAD_ENCRYPT says so; rows hold digest, size and type.
"""

from integrations.storage.backend import Reader
from integrations.storage.errors import PayloadDamaged, PayloadMissing, StorageError, StoreUnavailable
from integrations.storage.payloads import (
    payload_bytes,
    payload_keep,
    payload_open,
    payload_put,
    payload_rewrap,
    payloads_flatten,
)
from integrations.storage.retention import payload_delete_unreferenced

__all__ = [
    "PayloadDamaged",
    "PayloadMissing",
    "Reader",
    "StorageError",
    "StoreUnavailable",
    "payload_bytes",
    "payload_delete_unreferenced",
    "payload_keep",
    "payload_open",
    "payload_put",
    "payload_rewrap",
    "payloads_flatten",
]
