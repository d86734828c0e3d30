"""表决: the rules of a vote as exact arithmetic, and votes called under them on a frozen roll."""
