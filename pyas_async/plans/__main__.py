"""``python -m pyas_async.plans``: the calculator as a command."""

from pyas_async.plans import main

if __name__ == "__main__":
    raise SystemExit(main())
