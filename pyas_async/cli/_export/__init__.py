"""``pyas meetings export``: the meetings of many accounts in one file, each exactly once, whatever strikes meanwhile.

Rows are appended to a part file. A checkpoint beside it says how many bytes of it count, and where the listings stand
behind them. The part is on the disk before the checkpoint is, and the checkpoint takes the place of the one before in
one step. So whenever the process dies, the last checkpoint is true of the first bytes of the part; `--resume` cuts off
what follows them, and goes on. The file itself appears in one step, when it is whole.
"""
