"""Speech as text: the sound is kept at 16 kHz, cut at pauses, and read by a model."""
