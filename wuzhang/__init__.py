"""五长智治: the composition root."""
