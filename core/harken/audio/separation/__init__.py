"""Taking sound apart: streams of samples in, streams of stems out that sum to them, in flat memory."""
