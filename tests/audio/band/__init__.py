"""A band that plays in many styles from a seed, so that tempo and beats of what it plays are known."""
