"""Progress: the door for learning events, and what each learner has done so far."""
