"""Keys in a hardware security module, by PKCS#11 3.0. They never leave the module; see `pkcs11_session`."""

from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from libs.common.credentials.token_keys import TokenPublicKey, require_strong
from libs.common.signing.key import require_valid
from libs.common.signing.pkcs11_session import Pkcs11Pair, Pkcs11Place
from libs.common.signing.token_key import require_valid_token_signature

_ED25519_BYTES = 32
_P256_BYTES = 65  # 0x04 and the two coordinates
_P256_OID = bytes.fromhex("06082a8648ce3d030107")  # prime256v1, 1.2.840.10045.3.1.7 (RFC 5480, section 2.1.1.1)


class Pkcs11Key:
    """One Ed25519 key of a PKCS#11 token."""

    def __init__(self, place: Pkcs11Place) -> None:
        """Opens a session and finds the key pair. Raises `KeyUnusable`."""
        self._pair = Pkcs11Pair(place, _read_ed25519)

    @property
    def public_key(self) -> bytes:
        """See `SigningKey`."""
        return self._pair.public_key

    def sign(self, content: bytes) -> bytes:
        """See `SigningKey`."""
        signature = self._pair.sign(content, "EDDSA")
        require_valid(self.public_key, signature, content)
        return signature

    def close(self) -> None:
        """See `SigningKey`."""
        self._pair.close()


class Pkcs11TokenKey:
    """One P-256 or RSA key of a PKCS#11 token."""

    def __init__(self, place: Pkcs11Place) -> None:
        """Opens a session and finds the key pair. Raises `KeyUnusable`, also if it is another kind or too weak."""
        self._pair = Pkcs11Pair(place, _read_token_key)

    @property
    def public_key(self) -> TokenPublicKey:
        """See `TokenKey`."""
        return self._pair.public_key

    def sign(self, content: bytes) -> bytes:
        """See `TokenKey`."""
        if isinstance(self.public_key, RSAPublicKey):
            signature = self._pair.sign(content, "SHA256_RSA_PKCS")
        else:
            # Hashed here: each module knows plain ECDSA. What it answers is r and s as JWS wants them (section 2.3.1).
            signature = self._pair.sign(sha256(content).digest(), "ECDSA")
        require_valid_token_signature(self.public_key, signature, content)
        return signature

    def close(self) -> None:
        """See `TokenKey`."""
        self._pair.close()


def _read_ed25519(pkcs11: Any, key: Any) -> bytes:
    return _point(pkcs11, key, _ED25519_BYTES, "an Ed25519 key")


def _read_token_key(pkcs11: Any, key: Any) -> TokenPublicKey:
    if key.key_type == pkcs11.KeyType.RSA:
        modulus, exponent = key[pkcs11.Attribute.MODULUS], key[pkcs11.Attribute.PUBLIC_EXPONENT]
        numbers = RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus))
        found: TokenPublicKey = numbers.public_key()
    elif key.key_type == pkcs11.KeyType.EC and key[pkcs11.Attribute.EC_PARAMS] == _P256_OID:
        point = _point(pkcs11, key, _P256_BYTES, "a P-256 key")
        found = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    else:
        raise ValueError("expected a P-256 or RSA key, found another kind")
    require_strong(found)
    return found


def _point(pkcs11: Any, key: Any, size: int, expected: str) -> bytes:
    """The point of a key on a curve, `size` bytes long."""
    point = bytes(key[pkcs11.Attribute.EC_POINT])
    # PKCS#11 3.0 wants the point DER-encoded, as an OCTET STRING; some modules give it raw.
    raw = point.removeprefix(bytes([4, size])) if len(point) == size + 2 else point
    if len(raw) != size:
        raise ValueError(f"expected {expected}, found a point of {len(point)} bytes")
    return raw
