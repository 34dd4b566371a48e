"""One table pooled, and many in one call, with their settings checked and their words."""
