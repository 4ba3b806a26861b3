"""``pyas doctor``: a few read-only calls that test what the service's documentation does not specify.

It does not say which order a date has, how large a page may be, or how an expired page token is answered. The library
makes an assumption about each. The doctor tests these assumptions with the user's own key and account.
"""
