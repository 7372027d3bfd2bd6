-- Uploaded pictures as they were made safe, by the digest of their bytes. A row never changes.
create table picture (
    digest text primary key check (digest ~ '^sha256:[0-9a-f]{64}$'),
    media_type text not null check (media_type in ('image/png', 'image/svg+xml')),
    content bytea not null,
    drawn bytea,  -- what an SVG looks like, as PNG
    uploaded_at timestamptz not null,
    uploaded_by text not null,
    check ((drawn is null) = (media_type = 'image/png'))
);
alter table picture alter column content set storage external, alter column drawn set storage external;
