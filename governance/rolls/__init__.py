"""名册: who may vote in a unit, kept until a vote freezes it."""
