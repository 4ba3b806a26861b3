"""``pyas meetings export``: the meetings of many accounts in one file, each exactly once, even after interruptions.

Rows are appended to a part file. A checkpoint file next to it contains the number of valid bytes, and the checkpoint of
the listings after these bytes. The part is synced to disk before the checkpoint, and the checkpoint replaces the one
before atomically. So at any time, the last checkpoint matches the first bytes of the part. `--resume` cuts off what
follows them, and continues. The output file appears in one step, when it is complete.
"""
