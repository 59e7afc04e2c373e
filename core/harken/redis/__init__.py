"""Where Redis is, by a URL, and connections to it: directly, by a socket, encrypted, or by way of Sentinels."""
