"""`python -m infrastructure.ingestor`: bring the streams into history."""

import sys

from infrastructure.ingestor.main import main

sys.exit(main())
