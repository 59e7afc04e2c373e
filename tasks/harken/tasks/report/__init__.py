"""The body of a report: the statistics of a collection as a page with plots, and as JSON."""
