"""Who may call, and what: keys, tokens, rules, and the limits of what one owner or one peer may take up."""
