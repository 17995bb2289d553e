"""How each endpoint writes an answer: plain, and as a stream of events."""
