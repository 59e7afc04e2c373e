"""What the numbers of a result mean to people: tags by rules, each with its evidence, and keys that go together."""
