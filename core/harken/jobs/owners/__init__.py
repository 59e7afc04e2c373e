"""Who owns jobs: keys and scopes, quotas, and all that is held of an owner."""
