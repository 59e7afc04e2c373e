"""Bytes in and out: uploads as they arrive, artifacts as they are sent."""
