"""Enrollment: the catalogue of what can be earned, who the learners are, and who is enrolled."""
