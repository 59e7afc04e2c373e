"""What the parts tell of themselves: metrics, logs. It knows no job."""
