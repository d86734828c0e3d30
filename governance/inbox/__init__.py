"""待办箱: what waits for whom, what they did, what became of it."""
