"""The port through which the past's contents are read: by digest, whole or in pieces."""

from collections.abc import AsyncIterator, Collection
from typing import Protocol


class ContentSource(Protocol):
    """Contents that were kept, wherever they lie now."""

    async def sizes(self, digests: Collection[str]) -> dict[str, int]:
        """Return the size in bytes of those of `digests` that are kept whole."""
        ...

    async def get(self, digest: str) -> bytes:
        """Return a content, checked against its digest.

        Raises:
            ContentMissingError: it is not kept, or damaged.
        """
        ...

    async def get_small(self, digests: Collection[str]) -> dict[str, bytes]:
        """Return those of `digests` that are kept, checked; the caller bounds how much it is."""
        ...

    def pieces(self, digest: str) -> AsyncIterator[bytes]:
        """Yield a content in order, however large; the caller checks the digest of the whole.

        Raises:
            ContentMissingError: a part of it is not kept.
        """
        ...
