"""Let tests import the helpers beside them: ``tolerances``, ``references``, ``reference.brute``."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# The same examples in every run; time limits per example would fail on a busy machine only.
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("repeatable")
