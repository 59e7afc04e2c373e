"""Live progress: what happens to jobs, handed to those who watch them."""
