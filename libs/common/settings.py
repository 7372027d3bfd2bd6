"""The settings that every service reads. Each service adds its own in `services/<name>/settings.py`.

Every variable is `CAIRN_<NAME>`; a secret may instead be a file in the directory `CAIRN_SECRETS_DIR`.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, HttpUrl, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """What a process needs to find its database, its broker, its callers' keys and its telemetry."""

    model_config = SettingsConfigDict(
        env_prefix="CAIRN_", secrets_dir=os.environ.get("CAIRN_SECRETS_DIR"), extra="ignore", frozen=True
    )

    database_dsn: SecretStr = Field(description="PostgreSQL URL of this service's own database")
    kafka_bootstrap: str = Field("127.0.0.1:9092", description="host:port of Kafka brokers; only workers use it")
    host: str = Field("127.0.0.1", description="address on which the api listens")
    port: int = Field(8100, ge=0, le=65535, description="port on which the api listens")
    trusted_proxies: str = Field(
        "127.0.0.1",
        description="addresses or networks, with commas between, whose X-Forwarded-For and -Proto an api believes",
    )
    public_url: str = Field(
        "http://localhost:8104",
        description="where the public reaches verification; every document id stands on it",
    )
    terms_url: HttpUrl | None = Field(
        None, description="http(s) address of the terms of service: in the footer of pages, and in discovery"
    )
    privacy_url: HttpUrl | None = Field(None, description="http(s) address of the privacy policy: in the same places")
    instance: str = Field("0", description="name of this replica; the static Kafka group member of a worker")
    batch_records: int = Field(3000, ge=1, le=10_000, description="most records a worker takes in one transaction")
    metrics_port: int = Field(0, ge=0, le=65535, description="port of a worker's /metrics; 0 is off")

    token_keys_file: Path | None = Field(None, description="JWKS file with the public keys of access tokens")
    token_issuer: str = Field("cairn-local", description="`iss` that access tokens must carry")
    token_audience: str = Field("cairn", description="`aud` that access tokens must carry")

    pace_secret: SecretStr | None = Field(
        None,
        min_length=16,
        description="secret text under which the processes of a service count their callers together, in its database;"
        " without it each counts by itself",
    )
    largest_body_bytes: int = Field(4 * 1024 * 1024, ge=1024, description="largest request body accepted")
    trace_file: Path | None = Field(None, description="write spans to this file, one JSON object a line")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="least level that is logged")

    def legal_pages(self) -> tuple[tuple[str, str], ...]:
        """The pages that a footer links to: text in English, and address."""
        named = (("Terms of service", self.terms_url), ("Privacy", self.privacy_url))
        return tuple((text, str(address)) for text, address in named if address is not None)
