"""Pictures of a recording for people to look at, and peaks for players, from the one pass over its sound."""
