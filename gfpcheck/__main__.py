"""`python -m gfpcheck`."""

import sys

from gfpcheck.cli import main

if __name__ == "__main__":
    sys.exit(main())
