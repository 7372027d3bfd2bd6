"""The decisions of verification: where a badge stands, what the verdict on it is, what it says."""
