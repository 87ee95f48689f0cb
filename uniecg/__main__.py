"""``python -m uniecg`` is the ``uniecg`` command."""

from .cli import main

if __name__ == "__main__":
    main()
