-- Uploaded pictures by the digest of their bytes: a row never changes. What an issuer or a version of an achievement
-- shows is named beside it, as it was told.
create table picture (
    digest text primary key check (digest ~ '^sha256:[0-9a-f]{64}$'),
    media_type text not null check (media_type in ('image/png', 'image/svg+xml')),
    content bytea not null,
    drawn bytea,  -- what an SVG looks like, as PNG
    told_at timestamptz not null
);
alter table picture alter column content set storage external, alter column drawn set storage external;

alter table issuer add column picture jsonb;
alter table achievement add column picture jsonb;
