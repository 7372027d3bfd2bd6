"""The public addresses of what a deployment issues: one place, so that who signs and who serves agree."""

from dataclasses import dataclass
from uuid import UUID

from libs.common.credentials.identifiers import did_web, did_web_url


@dataclass(frozen=True, slots=True)
class Addresses:
    """URLs under `base_url`, the deployment's public address without a slash at its end."""

    base_url: str

    def badge(self, badge: UUID | str) -> str:
        """A badge: page or JSON by `Accept`; also the id of its Open Badges 3.0 credential."""
        return f"{self.base_url}/badges/{badge}"

    def badge_refresh(self, badge: UUID | str) -> str:
        """Where the newest badge is found of the same learner and achievement: the id of a refresh service."""
        return f"{self.base_url}/badges/{badge}/refresh"

    def assertion(self, badge: UUID | str) -> str:
        """The badge's Open Badges 2.0 hosted assertion."""
        return f"{self.base_url}/ob2/assertions/{badge}"

    def achievement(self, achievement: str, version: str) -> str:
        """One version of an achievement, with its criteria."""
        return f"{self.base_url}/achievements/{achievement}/versions/{version}"

    def achievement_image(self, achievement: str, version: str) -> str:
        """The picture of the badges of one version of an achievement."""
        return f"{self.base_url}/achievements/{achievement}/versions/{version}/image.svg"

    def picture(self, digest: str, media_type: str) -> str:
        """An uploaded picture, named by its bytes: `digest` is `sha256:<hex>`, `media_type` that of PNG or SVG."""
        ending = "svg" if media_type == "image/svg+xml" else "png"
        return f"{self.base_url}/pictures/{digest.removeprefix('sha256:')}.{ending}"

    def badge_class(self, achievement: str, version: str) -> str:
        """The Open Badges 2.0 BadgeClass of one version of an achievement."""
        return f"{self.base_url}/ob2/badge-classes/{achievement}/versions/{version}"

    def issuer(self, issuer: str) -> str:
        """An issuer's page."""
        return f"{self.base_url}/issuers/{issuer}"

    def issuer_did(self, issuer: str) -> str:
        """An issuer's `did:web`; its document is served at `issuer(…)/did.json`."""
        return did_web(self.base_url, f"issuers/{issuer}")

    def issuer_open_badge_2(self, issuer: str) -> str:
        """The Open Badges 2.0 profile of an issuer."""
        return f"{self.base_url}/ob2/issuers/{issuer}"

    def issuer_key(self, issuer: str, key: str) -> str:
        """A P-256 or RSA key of an issuer as JWK."""
        return f"{self.base_url}/issuers/{issuer}/keys/{key}"

    def issuer_key_id(self, issuer: str, key: str) -> str:
        """The same address as the `kid` of VC-JWTs: always https, as the issuer's did:web always is (OB 3.0, 8.2.4)."""
        return f"{did_web_url(self.issuer_did(issuer)).removesuffix('/did.json')}/keys/{key}"

    def open_badge_2_key(self, issuer: str, key: str) -> str:
        """The same key as an Open Badges 2.0 CryptographicKey: the `creator` of signed assertions."""
        return f"{self.base_url}/ob2/issuers/{issuer}/keys/{key}"

    def open_badge_2_revocations(self, issuer: str) -> str:
        """The Open Badges 2.0 RevocationList of an issuer."""
        return f"{self.base_url}/ob2/issuers/{issuer}/revocations"

    def endorsement(self, endorsement: UUID | str) -> str:
        """An endorsement: the id of its EndorsementCredential."""
        return f"{self.base_url}/endorsements/{endorsement}"

    def open_badge_2_endorsement(self, endorsement: UUID | str) -> str:
        """The Open Badges 2.0 twin of an endorsement."""
        return f"{self.base_url}/ob2/endorsements/{endorsement}"

    def record(self, record: UUID | str) -> str:
        """A learner's record of several badges: the id of its ClrCredential."""
        return f"{self.base_url}/records/{record}"

    def status_list(self, list_id: str) -> str:
        """A status list credential."""
        return f"{self.base_url}/status-lists/{list_id}"

    def issuer_jwks(self, issuer: str) -> str:
        """All keys of an issuer as a JWK set."""
        return f"{self.base_url}/issuers/{issuer}/jwks.json"
