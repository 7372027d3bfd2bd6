"""The demonstration: the whole system on this machine, a cohort through it, and links to look at."""
