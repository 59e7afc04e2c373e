"""What one server process of all does beside answering calls."""
