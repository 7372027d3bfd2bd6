-- Badges that learners offer to their wallets (OpenID4VCI 1.0): of each badge the last offer, which soon ends.
-- Secrets are kept as digests only; that of the PIN is keyed with the code, which stands nowhere.
-- No topic knows of them, and a rebuild leaves them alone: so the badge is named without a foreign key.
create table wallet_offer (
    badge_id uuid primary key,
    reference_digest bytea not null unique,
    code_digest bytea not null unique,
    pin_digest bytea,
    wrong_pins smallint not null default 0,
    ends_at timestamptz not null,
    -- When a wallet showed the code, and the token that it got for it.
    taken_at timestamptz,
    token_digest bytea unique,
    token_ends_at timestamptz
);
