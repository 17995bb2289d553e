"""An agent left alone on the real OpenAI client stops before the call that would break its cap. `make demo` runs it."""
