"""Samples into files: FLAC and WAV, a block at a time."""
