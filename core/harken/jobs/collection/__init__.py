"""What a collection of analyses is like: its numbers counted in bins, its names counted, in memory that stays flat."""
