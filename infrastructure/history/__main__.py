"""`python -m infrastructure.history`: the process that owns embedded history."""

import sys

from infrastructure.history.owner.main import main

sys.exit(main())
