"""What a file says of itself: chunks of WAV and AIFF, and the tags for tempo and key."""
