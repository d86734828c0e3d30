"""A believable district to try things on: made from a fixed seed by playing the real process with a frozen clock."""
