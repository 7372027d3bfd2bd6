"""The check of any badge, with the real fetcher on folders and the real sandbox."""
