"""Runs functions, coroutines and generators inside a block that is entered anew at each invocation.

In a generator the block is active only while the body runs, never between two items: the caller's code must not run
under the generator's scope (R28).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Protocol, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


class Block(Protocol):
    """What `scope`, `task` and `action` make."""

    def __enter__(self) -> object: ...

    def __exit__(self, *exc: object) -> object: ...

    def _resume(self) -> None: ...

    def _pause(self) -> None: ...


def decorate(function: F, make: Callable[[], Block]) -> F:
    """`function`, each invocation of which runs in a new block of `make()`."""
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def agen(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            body = function(*args, **kwargs)
            with make() as block:
                block = cast(Block, block)
                block._pause()
                step, sent = body.asend, None
                while True:
                    block._resume()
                    try:
                        item = await step(sent)
                    except StopAsyncIteration:
                        return
                    finally:
                        block._pause()
                    try:
                        step, sent = body.asend, (yield item)
                    except GeneratorExit:
                        block._resume()
                        try:
                            await body.aclose()
                        finally:
                            block._pause()
                        raise
                    except BaseException as error:
                        step, sent = body.athrow, error

        return cast(F, agen)

    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def gen(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            body = function(*args, **kwargs)
            with make() as block:
                block = cast(Block, block)
                block._pause()
                step, sent = body.send, None
                while True:
                    block._resume()
                    try:
                        item = step(sent)
                    except StopIteration as stop:
                        return stop.value
                    finally:
                        block._pause()
                    try:
                        step, sent = body.send, (yield item)
                    except GeneratorExit:
                        block._resume()
                        try:
                            body.close()
                        finally:
                            block._pause()
                        raise
                    except BaseException as error:
                        step, sent = body.throw, error

        return cast(F, gen)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with make():
                return await function(*args, **kwargs)

        return cast(F, coroutine)

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with make():
            return function(*args, **kwargs)

    return cast(F, plain)
