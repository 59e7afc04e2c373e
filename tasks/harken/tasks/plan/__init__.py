"""The features of a job as one plan: one pass over the sound for all that hear it, then what needs others' output."""
