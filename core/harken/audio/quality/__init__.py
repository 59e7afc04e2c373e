"""The technical truth of a recording: what was done to it, and what went wrong."""
