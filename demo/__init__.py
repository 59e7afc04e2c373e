"""`make demo`: music made here goes through the whole system, and what was found is held against what is known."""
