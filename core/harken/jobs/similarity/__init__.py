"""What sounds are like: vectors kept with results, and the search among them."""
