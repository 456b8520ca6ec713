"""``python -m promptstore``."""

from promptstore.cli import main

main()
