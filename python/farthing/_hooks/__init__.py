"""Where HTTP stacks are intercepted: the class methods `Client.send` and `AsyncClient.send` (docs/python.md),
and below them the method that sends a single request, for redirects, and the stack's own transport, for tries.

binding.py   what a guarded client carries, and what guards the whole process
family.py    httpx and httpx2: their classes, found among the modules that are already imported
steps.py     one request through the core's state machine, without any I/O
sync.py      the synchronous send        bodies.py   streamed bodies on their way to the caller
aio.py       the asynchronous send       waiting.py  waiting for what others hold, in an event loop
patching.py  putting the hooks into the classes, and taking them out
sending.py   one send: its tries and redirects, and the hooks that it passes
importing.py for `install`: stacks that are imported later

Nothing here counts or adds: bytes go to the core, verdicts come back.
"""
