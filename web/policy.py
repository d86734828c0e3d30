"""What a browser may do with our pages: nothing comes from elsewhere, no text becomes code."""

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
DRAWING = f"{POLICY}; style-src-attr 'unsafe-inline'"
"""For the editor of diagrams, which moves what it draws by style attributes."""

LOCATING = frozenset(["tasks.show", "tasks.finish", "starting.ask", "starting.take", "public.follow", "public.answer", "studio.edit"])
"""Where a form may ask for a location, or is tried by whoever makes it."""


def permissions(endpoint: str | None) -> str:
    """Which of the device's abilities a page may ask for."""
    return "geolocation=(self)" if endpoint in LOCATING else "geolocation=()"
