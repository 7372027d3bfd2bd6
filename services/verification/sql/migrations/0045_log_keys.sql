-- Which keys have signed heads, a step a key, however many heads there are.
create index log_checkpoint_key on log_checkpoint (verifier_key, size desc);
