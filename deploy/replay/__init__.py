"""Sending learning records that lie in files through the public doors, and waiting for the badges."""
