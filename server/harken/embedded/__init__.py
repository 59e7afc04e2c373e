"""The whole system on one machine from one command: `harken up`."""
