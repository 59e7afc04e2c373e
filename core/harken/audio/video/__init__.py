"""The picture of a video file: what it is, single frames of it, and a small copy; by PyAV, in memory that stays flat."""
