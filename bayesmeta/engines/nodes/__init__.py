"""What follows from a posterior at nodes of mu and tau: effects of studies, and draws."""
