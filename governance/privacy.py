"""Personal data: sealed where it is stored, masked where it is shown."""

from __future__ import annotations

import base64
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Sealer:
    """Seals short texts under a key derived from the deployment's secret."""

    def __init__(self, secret: str) -> None:
        key = HKDF(SHA256(), 32, salt=None, info=b"wuzhang personal data").derive(secret.encode())
        self._box = Fernet(base64.urlsafe_b64encode(key))
        self._mark = HKDF(SHA256(), 32, salt=None, info=b"wuzhang marks").derive(secret.encode())

    def mark(self, *parts: str) -> str:
        """The same for the same parts, and not to be guessed without the secret: tells a person again without keeping who they are."""
        return hmac.digest(self._mark, "\0".join(parts).encode(), "sha256").hex()

    def seal(self, text: str) -> str:
        return self._box.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """The text; the empty text when it was sealed under another key."""
        try:
            return self._box.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return ""


def masked_name(name: str) -> str:
    """张三丰 → 张**"""
    return name[:1] + "*" * (len(name) - 1)


def masked_mobile(mobile: str) -> str:
    """13812345678 → 138****5678"""
    return f"{mobile[:3]}****{mobile[-4:]}" if len(mobile) >= 8 else "****"
