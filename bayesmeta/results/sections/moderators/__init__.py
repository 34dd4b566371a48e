"""What a fit says of covariates, for whoever shows it."""

from .tables import asked, moderated, of_moderators

__all__ = ["asked", "moderated", "of_moderators"]
