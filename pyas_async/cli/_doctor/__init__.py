"""``pyas doctor``: a few read-only calls that test what the service's documentation does not specify.

It does not say which order a date has, how large a page may be, or how the service responds to an expired page token.
The library makes an assumption about each. The doctor tests these assumptions with the user's own key and account.
"""
