"""What samples cost, and what a cost buys: usage, prices, FLOPs, and the frontier of coverage against cost. Pure
numbers, next to a table of prices."""
