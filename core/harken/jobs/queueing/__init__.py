"""From the outbox to the workers: which job goes next, how far ahead, fairly, and who takes them."""
