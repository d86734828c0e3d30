"""议题: matters of an estate, a community, a quarter or the city, as rows that follow their process."""
