"""Ed25519 signatures under ledger heads: who holds the public key can tell whose head it is.

What is signed is the head's text, `stream@sequence:hex`, behind a constant that keeps the signature
from meaning anything elsewhere. Keys and signatures are written as base64 of their raw bytes.
"""

import base64
import binascii
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from infrastructure.ingestor.ledger import Head, format_head
from nervous_system.errors import ConfigError

CONTEXT = b"enchanted-swarm ledger head\n"
KEY_FILE = "ledger.key"
"""Private key in the home, readable by the owner only; heads are signed where it exists."""


def sign_head(key: Ed25519PrivateKey, head: Head) -> str:
    """Return the signature of a head."""
    return base64.b64encode(key.sign(CONTEXT + format_head(head).encode())).decode()


def is_signed(public_key: Ed25519PublicKey, head: Head, signature: bytes) -> bool:
    """Return whether `signature` (raw bytes) is the key's under this head."""
    try:
        public_key.verify(signature, CONTEXT + format_head(head).encode())
    except InvalidSignature:
        return False
    return True


def parse_signature(text: str) -> bytes:
    """Return the raw bytes of a signature; empty where the text is none."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public key that belongs to `key`."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def parse_public_key(text: str) -> Ed25519PublicKey:
    """Return the key that `public_text` wrote.

    Raises:
        ConfigError: the text is no public key.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))
    except ValueError as error:  # binascii.Error is one
        raise ConfigError(
            variable="--public-key", given=text[:60], expected="base64 of 32 bytes",
            fix="take it from `swarm verify --json` of the home that signs, field `public_key`",
        ) from error  # fmt: skip


def create_key(path: Path) -> Ed25519PrivateKey:
    """Write a new private key, readable by the owner only, and return it."""
    key = Ed25519PrivateKey.generate()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        file.flush()
        os.fsync(file.fileno())
    return key


def load_key(path: Path) -> Ed25519PrivateKey | None:
    """Return the private key in `path`, or None where there is none.

    Raises:
        ConfigError: the file holds something else.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        key = serialization.load_pem_private_key(data, None)
    except ValueError as error:
        raise _not_a_key(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_a_key(path)
    return key


def _not_a_key(path: Path) -> ConfigError:
    return ConfigError(
        variable="ledger key", given=str(path), expected="an Ed25519 private key in PEM",
        fix="move the file away and `swarm verify --sign` makes a new one",
    )  # fmt: skip
