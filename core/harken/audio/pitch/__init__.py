"""The fundamental frequency of one voice or instrument: candidates a frame, and the best path through them."""
