-- Keys have a history (B8), and every badge a place in its issuer's status lists (M2.3).

-- The history: a key may sign from valid_from until before valid_until; of one that leaked, nothing is to be trusted
-- from revoked_at on but what is proven to be older. With a JWK it signs tokens, without one embedded proofs.
alter table signing_key
    add column public_key_jwk text,
    add column valid_until timestamptz,
    add column revoked_at timestamptz;

-- The public halves of the private keys that the worker which started last can sign with, in the order of its settings.
create table key_at_hand (
    place integer primary key,
    -- Of one issuer alone, or of all.
    issuer_id text collate "C",
    key_id text not null,
    public_key_multibase text not null,
    public_key_jwk text
);

-- What operators did to keys: the audit of who, what, when and why.
create table key_act (
    act_id uuid primary key,
    place bigint generated always as identity,
    kind text not null check (kind in ('rotate', 'revoke')),
    issuer_id text collate "C" not null,
    key_id text not null,
    at timestamptz not null,
    reason text not null,
    actor text not null,
    asked_at timestamptz not null default now()
);
create index key_act_issuer on key_act (issuer_id, place);

-- The next place in a status list: a sequence, so that no transaction waits for another. A gap is a place unused.
create sequence status_position minvalue 0 start 0;

alter table badge
    add column status_list integer check (status_list >= 1),
    add column status_index integer check (status_index >= 0),
    add check ((status_list is null) = (status_index is null));
create unique index badge_status on badge (status_list, status_index) where status_list is not null;
-- What a list has to say: few badges are withdrawn.
create index badge_withdrawn on badge (issuer_id, status_list) where state <> 0 and status_list is not null;

-- The status lists as they were signed last. Both purposes of one number share their indices.
create table status_list (
    list_id text collate "C" primary key,
    issuer_id text collate "C" not null,
    number integer not null check (number >= 1),
    purpose text not null check (purpose in ('revocation', 'suspension')),
    revision integer not null check (revision >= 1),
    signed_at timestamptz not null,
    valid_until timestamptz not null,
    unique (issuer_id, number, purpose)
);
create index status_list_age on status_list (signed_at);

-- Lists to sign anew, because a badge changed, or the issuer's key did. Only inserted and deleted: nobody waits.
create table status_due (
    place bigint generated always as identity primary key,
    issuer_id text collate "C" not null,
    number integer not null
);
