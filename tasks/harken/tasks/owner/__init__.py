"""The bodies of jobs about all that is held of an owner: its export, and its erasure."""
