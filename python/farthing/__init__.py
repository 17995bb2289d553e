"""Farthing: call paid AI APIs without ever spending more than you allowed."""

from farthing._farthing import __version__

__all__ = ["__version__"]
