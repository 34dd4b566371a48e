"""Maximum likelihood from the counts themselves."""
