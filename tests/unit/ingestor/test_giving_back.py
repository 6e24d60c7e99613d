"""What a broken session leaves behind is collected without waiting for the collector."""

import gc
import weakref

from infrastructure.ingestor.giving_back import give_back


class Session:
    """Something that its own error holds."""

    def __init__(self) -> None:
        self.error = self


def test_what_holds_only_itself_is_gone_at_once() -> None:
    gc.disable()
    try:
        left = weakref.ref(Session())
        assert left() is not None
        give_back()
        assert left() is None
    finally:
        gc.enable()
