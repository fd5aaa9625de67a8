"""``python -m tui`` is ``persona-moe``."""

import sys

from tui.cli import main

sys.exit(main())
