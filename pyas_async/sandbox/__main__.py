"""``python -m pyas_async.sandbox``: the sandbox as a process."""

from pyas_async.sandbox import main

if __name__ == "__main__":
    raise SystemExit(main())
