"""会议: how a meeting is convened, who came, what was said and decided, and what became of it."""
