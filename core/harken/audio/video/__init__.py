"""The picture of a video file: what it is, single frames of it, and a small copy; in memory that stays flat."""
