"""Where speech is, and how it is: found by signal processing in the one pass over the sound."""
