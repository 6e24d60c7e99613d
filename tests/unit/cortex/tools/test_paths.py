"""Names that lead elsewhere, wherever in them it stands."""

import pytest

from cortex.errors import ToolRefusedError
from cortex.tools.paths import parse_path


@pytest.mark.parametrize("path", ["..", "../a", "a/..", "a/../b", "a/b/../../..", b"a/../\xff"])
def test_name_that_leads_up_is_refused(path: str | bytes) -> None:
    """Also where it would come back: what a part is would decide where it leads."""
    with pytest.raises(ToolRefusedError, match=r"`\.\.` would lead elsewhere"):
        parse_path("write_file", path)
