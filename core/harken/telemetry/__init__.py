"""What the parts tell of themselves: metrics, logs, traces. It knows no job."""
