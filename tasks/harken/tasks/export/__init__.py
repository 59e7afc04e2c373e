"""The body of an export: results as rows of a file."""
