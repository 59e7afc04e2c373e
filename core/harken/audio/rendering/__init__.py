"""A recording written anew: without the silence around it, at another rate, loudness or format."""
