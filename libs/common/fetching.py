"""Fetch what strangers name, without being used against the network that we stand in (SR-13).

Every address is resolved here, each of its IP addresses is checked, and the checked address is the one connected to:
a name cannot answer differently a moment later. Redirects go the same way again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, cast
from urllib.parse import unquote, urljoin, urlsplit

import httpcore

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_REDIRECTS = 3
MAX_BYTES = 1024 * 1024
SECONDS = 5.0
_PORTS = frozenset({443, 8443})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MEDIA_TYPES = {".json": "application/json", ".png": "image/png", ".svg": "image/svg+xml", ".html": "text/html"}
# Forms of IPv6 that carry an IPv4 address within: a gateway would lead to that one.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Page(NamedTuple):
    """An answer: its status, its media type in lower case without parameters, and its body.

    `moved_to` is the URL to which redirects led, empty where there were none.
    """

    status: int
    media_type: str
    content: bytes
    moved_to: str = ""


class NoAnswer(NamedTuple):
    """Why there is no answer: a short code, and what exactly was found."""

    reason: str
    detail: str


class _Blocked(Exception):
    """An address that must not be connected to."""


@dataclass(frozen=True)
class Reach:
    """What a fetcher may reach beside the public internet.

    `folders` answers URLs that begin with a prefix from a folder; `networks` are IP networks that may be connected
    to though they are not public; `trust` replaces the usual certificate authorities.
    """

    folders: Mapping[str, Path]
    networks: tuple[Network, ...] = ()
    trust: ssl.SSLContext | None = None


class Fetcher:
    """Fetches https URLs: at most `MAX_BYTES` in `SECONDS`, after at most `MAX_REDIRECTS`, and without cookies."""

    def __init__(self, reach: Reach | None = None) -> None:
        """An `async with` block closes its connections."""
        self._reach = reach or Reach({})
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=self._reach.trust or ssl.create_default_context(),
            max_connections=20,
            max_keepalive_connections=0,
            network_backend=_Guarded(self._reach.networks),
        )

    async def __aenter__(self) -> Fetcher:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def page_at(self, url: str, accept: str = "*/*") -> Page | NoAnswer:
        """What lies at `url`, or why it cannot be had. Never raises for what a server does."""
        mapped = page_of_folder(self._reach.folders, url, accept)
        if mapped is not None:
            return mapped
        try:
            async with asyncio.timeout(SECONDS):
                return await self._follow(url, accept)
        except TimeoutError:
            return NoAnswer("timeout", f"no whole answer within {SECONDS:g} s")
        except _Blocked as fault:
            return NoAnswer("private-address", str(fault))
        except ValueError as fault:  # a name or a redirect that only looks like a URL (UnicodeError is one too)
            return NoAnswer("not-a-url", f"expected a URL, found one that cannot be read ({type(fault).__name__})")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as fault:
            return NoAnswer("no-connection", f"{type(fault).__name__}: {fault}"[:200])

    async def _follow(self, url: str, accept: str) -> Page | NoAnswer:
        asked = url
        for _ in range(MAX_REDIRECTS + 1):
            fault = url_fault(url, any_port=bool(self._reach.networks))
            if fault is not None:
                return fault
            answer = await self._get(url, accept)
            if isinstance(answer, Page) and url != asked:
                return answer._replace(moved_to=url)
            if not isinstance(answer, str):
                return answer
            url = answer
            mapped = page_of_folder(self._reach.folders, url, accept)
            if mapped is not None:
                return mapped._replace(moved_to=url)
        return NoAnswer("redirects", f"expected at most {MAX_REDIRECTS} redirects")

    async def _get(self, url: str, accept: str) -> Page | NoAnswer | str:
        """An answer, or the URL of a redirect."""
        headers = {"Accept": accept, "Accept-Encoding": "identity", "User-Agent": "cairn-verification"}
        async with self._pool.stream("GET", url.partition("#")[0], headers=[*headers.items()]) as response:
            found = {name.lower().decode("latin-1"): text.decode("latin-1") for name, text in response.headers}
            if response.status in _REDIRECTS and "location" in found:
                return urljoin(url, found["location"])
            if found.get("content-encoding", "identity") != "identity":
                return NoAnswer("encoding", found["content-encoding"][:40])
            content = bytearray()
            async for chunk in response.aiter_stream():
                content += chunk
                if len(content) > MAX_BYTES:
                    return NoAnswer("too-large", f"expected at most {MAX_BYTES} bytes")
            media_type = found.get("content-type", "").partition(";")[0].strip().lower()
            return Page(response.status, media_type, bytes(content))


def url_fault(url: str, *, any_port: bool = False) -> NoAnswer | None:
    """Why `url` is not fetched, if it is not: only https, without a password, at the usual ports."""
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError as fault:
        return NoAnswer("not-a-url", str(fault))
    if parts.scheme != "https" or not parts.hostname or len(url) > 2000 or not url.isascii():
        return NoAnswer("not-https", f"expected an https URL, found {url[:100]!a}")
    if parts.username is not None or parts.password is not None:
        return NoAnswer("not-a-url", "expected no user name in the URL")
    if port not in _PORTS and not any_port:
        return NoAnswer("port", f"expected port 443 or 8443, found {port}")
    return None


def is_public(text: str, networks: Iterable[Network] = ()) -> bool:
    """Whether the IP address `text` is on the public internet, or in one of `networks`."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if any(address in network for network in networks):
        return True
    if isinstance(address, ipaddress.IPv6Address):
        within = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            within.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if any(inner is not None and not is_public(str(inner)) for inner in within):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def page_of_folder(folders: Mapping[str, Path], url: str, accept: str = "*/*") -> Page | None:
    """The answer to `url` from the folder of a mapped prefix; None if no prefix is mapped that it begins with.

    `<path>` or `<path>.json` answers 200, `<path>.410` answers 410, anything else 404. A file without an ending that
    tells its media type is of the one that is asked for, where `accept` names one alone.
    """
    address = url.partition("#")[0].partition("?")[0]
    for prefix, folder in sorted(folders.items(), key=lambda entry: -len(entry[0])):
        start = prefix.rstrip("/")
        if address != start and not address.startswith(start + "/"):
            continue
        root = folder.resolve()
        unnamed = "text/plain" if "*" in accept or "," in accept else accept
        name = unquote(address[len(start) :]).lstrip("/")
        path = root if "\0" in name else (root / name).resolve()
        if path.is_relative_to(root):
            for candidate, status in ((path, 200), (Path(f"{path}.json"), 200), (Path(f"{path}.410"), 410)):
                if candidate.is_file():
                    kind = _MEDIA_TYPES.get(Path(str(candidate).removesuffix(".410")).suffix, unnamed)
                    return Page(status, kind, candidate.read_bytes()[: MAX_BYTES + 1])
        return Page(404, "text/plain", b"")
    return None


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only. TLS above it still asks for the certificate of the name."""

    def __init__(self, networks: tuple[Network, ...]) -> None:
        self._networks = networks
        # httpcore declares this class only as far as anyio is installed, which it is with httpx.
        self._plain = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check every address, connect to the first."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if not is_public(address, self._networks):
                raise _Blocked(f"{host} leads to {address}, which is not public")
        if not addresses:
            raise OSError(f"{host} has no address")
        return await self._plain.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the signature is httpcore's
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise _Blocked(f"a local socket: {path}")

    async def sleep(self, seconds: float) -> None:
        """Wait, between attempts to connect."""
        await asyncio.sleep(seconds)
