"""``python -m pyas_async.cli``: the command ``pyas``."""

from pyas_async.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
