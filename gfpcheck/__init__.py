"""gfpcheck: finds memory allocations made in the wrong context, in Linux kernel C first of all."""

__version__ = "0.1.0"
