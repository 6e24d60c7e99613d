"""`python -m mission_control.server`: serve the dashboard."""

import sys

from mission_control.server.main import main

sys.exit(main())
