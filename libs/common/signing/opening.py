"""Open a key by its URL: one setting says where a deployment's keys lie.

* `file:/run/secrets/issuer.pem`: PEM or 32 raw bytes, readable by its owner only.
* `pkcs11:token=cairn;object=issuer?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/secrets/pin`:
  an RFC 7512 URI; `id=%01` instead of, or beside, `object`.
* `vault+https://vault.example:8200/transit/keys/issuer?token-file=/run/secrets/token&version=2`: also `namespace`
  and `ca-file`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, unquote_to_bytes, urlsplit

from libs.common.signing.file_key import FileKey
from libs.common.signing.key import IssuerSigner, KeyUnusable, SigningKey, require_sound
from libs.common.signing.pkcs11_key import Pkcs11Key, Pkcs11TokenKey
from libs.common.signing.pkcs11_session import Pkcs11Place
from libs.common.signing.token_key import FileTokenKey, TokenKey, require_sound_token_key
from libs.common.signing.vault_key import VaultKey, VaultPlace, VaultTokenKey

Opened = TypeVar("Opened")


def open_signer(url: str, issuer: str) -> IssuerSigner:
    """The signer of `issuer` (its `did:web`) with the key at `url`. Raises `KeyUnusable`."""
    return IssuerSigner(open_key(url), issuer)


def open_key(url: str) -> SigningKey:
    """The key at `url`, tried out: it signs, and signs the same twice. Raises `KeyUnusable`."""
    key = _opener(url, _OPENERS)(url)
    try:
        require_sound(key)
    except KeyUnusable:
        key.close()
        raise
    return key


def open_token_key(url: str) -> TokenKey:
    """The P-256 or RSA key at `url`, tried out: what it signs holds. Raises `KeyUnusable`."""
    key = _opener(url, _TOKEN_OPENERS)(url)
    try:
        require_sound_token_key(key)
    except KeyUnusable:
        key.close()
        raise
    return key


def _opener(url: str, openers: Mapping[str, Callable[[str], Opened]]) -> Callable[[str], Opened]:
    scheme = url.partition(":")[0]
    if scheme not in openers:
        raise KeyUnusable(f"expected a key's URL beginning with one of {', '.join(openers)}, found {scheme[:40]!r}")
    return openers[scheme]


def _file_path(url: str) -> Path:
    return _path(url.removeprefix("file:"))


def _pkcs11_place(url: str) -> Pkcs11Place:
    path, _, query = url.removeprefix("pkcs11:").partition("?")
    attributes = {name: value for name, _, value in (part.partition("=") for part in path.split(";"))}
    options = _options(query, {"module-path", "pin-source"})
    _refuse_unknown(attributes, {"token", "object", "id", "type"})
    module, token = options.get("module-path"), attributes.get("token")
    if module is None or token is None or not {"object", "id"} & attributes.keys():
        raise KeyUnusable("pkcs11: expected a token, an object or id, and ?module-path=")
    label, pin = attributes.get("object"), options.get("pin-source")
    return Pkcs11Place(
        module=Path(module),
        token=unquote(token),
        label=None if label is None else unquote(label),
        id=unquote_to_bytes(attributes["id"]) if "id" in attributes else None,
        pin_file=None if pin is None else _path(pin.removeprefix("file:")),
    )


def _vault_place(url: str) -> VaultPlace:
    parts = urlsplit(url)
    options = _options(parts.query, {"token-file", "version", "namespace", "ca-file"})
    mount, keys, name = (*parts.path.strip("/").rsplit("/", 2), "", "")[:3]
    if keys != "keys" or not parts.hostname or not name:
        raise KeyUnusable("vault+https: expected //server/mount/keys/name")
    if "token-file" not in options:
        raise KeyUnusable("vault+https: expected ?token-file=")
    version = options.get("version", "")
    if version and not version.isdecimal():
        raise KeyUnusable(f"vault+https: expected a number as version, found {version[:20]!r}")
    return VaultPlace(
        server=f"https://{parts.netloc}",
        mount=mount,
        name=name,
        token_file=Path(options["token-file"]),
        version=int(version) if version else None,
        namespace=options.get("namespace"),
        ca_file=Path(options["ca-file"]) if "ca-file" in options else None,
    )


_OPENERS: dict[str, Callable[[str], SigningKey]] = {
    "file": lambda url: FileKey(_file_path(url)),
    "pkcs11": lambda url: Pkcs11Key(_pkcs11_place(url)),
    "vault+https": lambda url: VaultKey(_vault_place(url)),
}
_TOKEN_OPENERS: dict[str, Callable[[str], TokenKey]] = {
    "file": lambda url: FileTokenKey(_file_path(url)),
    "pkcs11": lambda url: Pkcs11TokenKey(_pkcs11_place(url)),
    "vault+https": lambda url: VaultTokenKey(_vault_place(url)),
}
SCHEMES = tuple(_OPENERS)


def _path(text: str) -> Path:
    """The path of a file URL without its scheme: `/a`, `///a`."""
    path = Path(unquote(text.removeprefix("//")))
    if not path.is_absolute():
        raise KeyUnusable(f"expected an absolute path, found {str(path)[:200]!r}")
    return path


def _options(query: str, known: set[str]) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    _refuse_unknown(options, known)
    return options


def _refuse_unknown(found: dict[str, str], known: set[str]) -> None:
    # A misspelt option, left out of account, could open another key than was meant.
    unknown = sorted(found.keys() - known)
    if unknown:
        raise KeyUnusable(f"expected none but {', '.join(sorted(known))}, found {unknown[0][:40]!r}")
