"""A language model behind an OpenAI-compatible endpoint: what it is told, how it is asked, what is taken."""
