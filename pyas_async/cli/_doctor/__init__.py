"""``pyas doctor``: a few calls that read, and what they tell of that the service's page leaves open.

The page does not say in which order a date is, how large a page may be, or what a dead page token is answered with. The
library assumes something of each. This looks, with the user's own key and account, which of it holds.
"""
