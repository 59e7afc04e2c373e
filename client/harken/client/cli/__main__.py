"""`python -m harken.client.cli` is `harken`."""

from harken.client.cli import main

main()
