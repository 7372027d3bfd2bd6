-- What the issuer of an imported badge is asked again (JSON), as it was told, so that a database made from the topics
-- watches it without the badge itself (B4, B6). None is one of which that was not told yet; `{}` one of which there is
-- nothing to ask.
alter table imported_badge add column watch bytea;
