"""The fake provider's own tests use the fixtures that it gives to all others."""

from tests.fakes.provider.fixtures import provider, provider_process

__all__ = ["provider", "provider_process"]
