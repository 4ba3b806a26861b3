"""``python -m pyas_async.sandbox``: serve a sandbox."""

from pyas_async.sandbox import main

if __name__ == "__main__":
    raise SystemExit(main())
