"""What each study says of its own effect, its baseline and its SDs integrated out."""
