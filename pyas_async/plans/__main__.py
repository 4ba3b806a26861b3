"""``python -m pyas_async.plans``: print estimates for a job."""

from pyas_async.plans import main

if __name__ == "__main__":
    raise SystemExit(main())
