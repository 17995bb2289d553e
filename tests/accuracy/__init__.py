"""How near estimates are to what providers counted and billed, over all of tests/recorded."""
