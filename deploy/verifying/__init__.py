"""What `cairn verify` does on this machine, and what it asks of a running Cairn."""
