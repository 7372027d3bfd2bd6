"""Fetching what strangers name: only public addresses, whatever a name or a redirect says (SR-13)."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from libs.common import fetching
from libs.common.fetching import MAX_BYTES, Fetcher, NoAnswer, Page, Reach, is_public

HERE = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
Answer = Callable[[str], bytes]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of localhost with its key, in one file."""
    key = derive_private_key(4711, SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )  # fmt: skip
    path = tmp_path / "localhost.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    return path


@asynccontextmanager
async def site(certificate: Path, answer: Answer) -> AsyncIterator[str]:
    """A site with TLS on this machine that gives `answer(path)` to every request; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(answer(head.split(b" ")[1].decode()))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


def within(certificate: Path) -> Reach:
    """This machine may be reached, by its certificate."""
    return Reach({}, HERE, ssl.create_default_context(cafile=str(certificate)))


def said(status: int, *headers: str, body: bytes = b"") -> bytes:
    head = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status} X\r\n{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


Fetch = Callable[[str], Awaitable[Page | NoAnswer]]


async def fetched(url: str, reach: Reach | None = None) -> Page | NoAnswer:
    async with Fetcher(reach) as fetcher:
        return await fetcher.page_at(url)


async def reason(url: str, reach: Reach | None = None) -> str:
    answer = await fetched(url, reach)
    assert isinstance(answer, NoAnswer), answer
    return answer.reason


async def test_a_page_is_fetched(certificate: Path) -> None:
    async with site(
        certificate, lambda _: said(200, "Content-Type: Application/JSON; charset=utf-8", body=b"{}")
    ) as at:
        assert await fetched(f"{at}/x#part", within(certificate)) == Page(200, "application/json", b"{}")


async def test_the_certificate_counts(certificate: Path) -> None:
    async with site(certificate, lambda _: said(200)) as at:
        assert await reason(at, Reach({}, HERE)) == "no-connection"  # nobody vouches for it
        other_name = at.replace("localhost", "127.0.0.1")
        assert await reason(other_name, within(certificate)) == "no-connection"


async def test_a_name_that_leads_within_is_refused(certificate: Path) -> None:
    """`localhost` is a name: what counts is where it leads."""
    trust = ssl.create_default_context(cafile=str(certificate))
    elsewhere = (ipaddress.ip_network("203.0.113.0/24"),)
    async with site(certificate, lambda _: said(200)) as at:
        assert await reason(at, Reach({}, elsewhere, trust)) == "private-address"


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ("https://169.254.169.254/latest/meta-data", "private-address"),
        ("https://[fd00::1]/", "private-address"),
        ("https://10.1.2.3/", "private-address"),
        ("http://localhost/", "not-https"),
        ("file:///etc/passwd", "not-https"),
        ("https://user@localhost/", "not-a-url"),
        ("/again", "redirects"),
    ],
)
async def test_redirects_are_checked_again(certificate: Path, location: str, found: str) -> None:
    async with site(certificate, lambda _: said(302, f"Location: {location}")) as at:
        assert await reason(at, within(certificate)) == found


async def test_three_redirects_are_followed(certificate: Path) -> None:
    def answer(path: str) -> bytes:
        return said(200, body=b"there") if path == "/3" else said(301, f"Location: /{int(path[1:] or 0) + 1}")

    async with site(certificate, answer) as at:
        page = await fetched(f"{at}/0", within(certificate))
        assert isinstance(page, Page)
        assert page.content == b"there"
        assert page.moved_to == f"{at}/3"  # where only the place vouches for it, another site's answer does not count


async def test_size_and_packing_are_bounded(certificate: Path) -> None:
    async with site(certificate, lambda _: said(200, body=bytes(MAX_BYTES + 1))) as at:
        assert await reason(at, within(certificate)) == "too-large"
    async with site(certificate, lambda _: said(200, "Content-Encoding: gzip", body=b"x")) as at:
        assert await reason(at, within(certificate)) == "encoding"


async def test_a_site_that_says_nothing_is_given_up(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SECONDS", 0.3)
    async with site(certificate, lambda _: b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\n") as at:
        assert await reason(at, within(certificate)) in ("timeout", "no-connection")


async def test_what_is_nowhere_is_told() -> None:
    assert await reason("https://nothing.invalid/") == "no-connection"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True), ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False), ("10.0.0.1", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("192.0.2.1", False), ("::1", False), ("::", False), ("fe80::1%eth0", False),
        ("fd00::1", False), ("ff02::1", False), ("::ffff:127.0.0.1", False), ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
    ],
)  # fmt: skip
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_a_folder_answers_for_a_prefix(tmp_path: Path) -> None:
    web, secret = tmp_path / "web", tmp_path / "secret.json"
    (web / "a").mkdir(parents=True)
    (web / "a" / "1.json").write_text("{}")
    (web / "gone.410").write_text("{}")
    secret.write_text("secret")
    reach = Reach({"https://site.example": web})
    assert await fetched("https://site.example/a/1.json", reach) == Page(200, "application/json", b"{}")
    assert await fetched("https://site.example/a/1?x=1", reach) == Page(200, "application/json", b"{}")
    async with Fetcher(reach) as fetcher:  # a name that tells no type is of the one asked for
        (web / "plain").write_bytes(b"x")
        assert await fetcher.page_at("https://site.example/plain", "a/b") == Page(200, "a/b", b"x")
        assert await fetcher.page_at("https://site.example/plain", "a/b, */*") == Page(200, "text/plain", b"x")
    gone = await fetched("https://site.example/gone", reach)
    assert isinstance(gone, Page)
    assert gone.status == 410
    for path in ("../secret.json", "..%2fsecret.json", "a/../../secret.json", "nothing", "%00", "/etc/passwd"):
        assert await fetched(f"https://site.example/{path}", reach) == Page(404, "text/plain", b"")
    assert await reason("https://site.example.evil.invalid/a/1.json", reach) == "no-connection"


@pytest.mark.parametrize("url", ["https://[x", "https://" + "a" * 64 + ".example/badge"], ids=["bracket", "label"])
async def test_what_only_looks_like_a_url_is_no_fault(url: str) -> None:
    answer = await Fetcher().page_at(url)
    assert isinstance(answer, NoAnswer)
    assert answer.reason == "not-a-url"
