"""The transformations of a list of integers `xs` in the `programs` problems, and what is printed of it.

The order matters: training draws earlier operations more often, so the last ones are rare and hard for the bundled
model. `{n}` is the operation's argument. A phrase describes the code completely: it is enough to write a program that
passes every test.
"""

from typing import NamedTuple


class Operation(NamedTuple):
    """One transformation of `xs`, or one way to print it: how it is described, and the line of Python that does it."""

    name: str
    phrases: tuple[str, ...]
    code: str
    arguments: tuple[int, ...] = ()


SMALL = tuple(range(2, 8))
WIDE = tuple(range(-9, 31))

TRANSFORMS: tuple[Operation, ...] = (
    Operation(
        "even",
        ("keep only the even numbers", "remove every odd number", "throw away what is not even"),
        "xs = [x for x in xs if x % 2 == 0]",
    ),
    Operation(
        "add",
        ("add {n} to every number", "raise each number by {n}", "increase all of them by {n}"),
        "xs = [x + {n} for x in xs]",
        tuple(range(2, 31)),
    ),
    Operation(
        "sort",
        ("sort them in increasing order", "put them in order, smallest first", "sort them"),
        "xs = sorted(xs)",
    ),
    Operation(
        "above",
        ("keep only the numbers greater than {n}", "remove every number that is {n} or less"),
        "xs = [x for x in xs if x > {n}]",
        WIDE,
    ),
    Operation("square", ("square every number", "replace each number by its square"), "xs = [x * x for x in xs]"),
    Operation(
        "first",
        ("keep the first {n}", "keep no more than {n} numbers from the front", "cut the list after {n} numbers"),
        "xs = xs[:{n}]",
        SMALL,
    ),
    Operation(
        "multiply",
        ("multiply every number by {n}", "make each number {n} times as large"),
        "xs = [x * {n} for x in xs]",
        tuple(range(2, 13)),
    ),
    Operation("reverse", ("reverse the list", "turn the list around"), "xs = xs[::-1]"),
    Operation(
        "odd",
        ("keep only the odd numbers", "remove every even number", "throw away what is not odd"),
        "xs = [x for x in xs if x % 2 == 1]",
    ),
    Operation(
        "distinct",
        ("keep only the first of equal numbers", "remove repeated numbers, keeping the first of each"),
        "xs = list(dict.fromkeys(xs))",
    ),
    Operation(
        "below",
        ("keep only the numbers less than {n}", "remove every number that is {n} or more"),
        "xs = [x for x in xs if x < {n}]",
        WIDE,
    ),
    Operation("absolute", ("take the absolute value of each", "drop the minus signs"), "xs = [abs(x) for x in xs]"),
    Operation(
        "sort_down",
        ("sort them in decreasing order", "put them in order, largest first"),
        "xs = sorted(xs, reverse=True)",
    ),
    Operation(
        "multiples",
        ("keep only the multiples of {n}", "remove what {n} does not divide"),
        "xs = [x for x in xs if x % {n} == 0]",
        tuple(range(3, 10)),
    ),
    Operation("drop", ("remove the first {n}", "skip {n} numbers at the front"), "xs = xs[{n}:]", SMALL),
    Operation("negate", ("change the sign of each", "replace each x by -x"), "xs = [-x for x in xs]"),
    Operation(
        "remainder",
        ("take the remainder of each modulo {n}", "replace each x by x modulo {n}"),
        "xs = [x % {n} for x in xs]",
        tuple(range(3, 14)),
    ),
    Operation("last", ("keep the last {n}", "keep no more than {n} numbers from the end"), "xs = xs[-{n}:]", SMALL),
    Operation(
        "even_places",
        ("keep the first, third, fifth and so on", "keep every second number, starting with the first"),
        "xs = xs[::2]",
    ),
    Operation(
        "positive",
        ("keep only the positive numbers", "remove zeros and negative numbers"),
        "xs = [x for x in xs if x > 0]",
    ),
    Operation(
        "running_sum",
        ("replace each number by the sum of all up to it", "take running sums"),
        "xs = [sum(xs[:i + 1]) for i in range(len(xs))]",
    ),
    Operation(
        "not_multiples",
        ("remove the multiples of {n}", "keep only what {n} does not divide"),
        "xs = [x for x in xs if x % {n} != 0]",
        tuple(range(3, 10)),
    ),
    Operation("halve", ("halve each, rounding down", "replace each x by x // 2"), "xs = [x // 2 for x in xs]"),
    Operation("cap", ("replace what is above {n} by {n}", "cap each at {n}"), "xs = [min(x, {n}) for x in xs]", WIDE),
    Operation(
        "differences",
        ("take the differences of neighbours, next minus previous", "replace the list by next minus previous"),
        "xs = [b - a for a, b in zip(xs, xs[1:])]",
    ),
    Operation("drop_last", ("remove the last {n}", "cut {n} numbers off the end"), "xs = xs[:-{n}]", SMALL),
    Operation(
        "add_place",
        ("add to each its position, counted from 0", "raise each by its index, from 0"),
        "xs = [x + i for i, x in enumerate(xs)]",
    ),
    Operation(
        "digit_sum",
        ("replace each by the sum of its digits, without the sign", "take the digit sum of each, without the sign"),
        "xs = [sum(int(d) for d in str(abs(x))) for x in xs]",
    ),
    Operation(
        "odd_places",
        ("keep the second, fourth, sixth and so on", "keep every second number, starting with the second"),
        "xs = xs[1::2]",
    ),
    Operation(
        "floor",
        ("replace what is below {n} by {n}", "raise smaller numbers to {n}"),
        "xs = [max(x, {n}) for x in xs]",
        WIDE,
    ),
    Operation(
        "rotate",
        ("move the first {n} to the end", "rotate the list left by {n}"),
        "xs = xs[{n}:] + xs[:{n}]",
        tuple(range(1, 5)),
    ),
    Operation(
        "twice", ("write each number twice in a row", "double every entry"), "xs = [x for x in xs for _ in range(2)]"
    ),
    Operation(
        "sort_absolute",
        ("sort them by absolute value, ties in their old order", "put them in order of absolute value, ties unmoved"),
        "xs = sorted(xs, key=abs)",
    ),
    Operation(
        "running_max",
        ("replace each number by the largest up to it", "take running maxima"),
        "xs = [max(xs[:i + 1]) for i in range(len(xs))]",
    ),
    Operation(
        "ends_in",
        ("keep only the numbers whose last digit is {n}", "remove what does not end in {n}"),
        "xs = [x for x in xs if abs(x) % 10 == {n}]",
        tuple(range(10)),
    ),
    Operation(
        "times_place",
        ("multiply each by its position, counted from 1", "make the i-th number i times as large, from i = 1"),
        "xs = [x * i for i, x in enumerate(xs, 1)]",
    ),
    Operation(
        "unique",
        ("keep only the numbers that occur exactly once", "remove every number that occurs more than once"),
        "xs = [x for x in xs if xs.count(x) == 1]",
    ),
    Operation("append_sum", ("add their sum at the end of the list", "append the total"), "xs = xs + [sum(xs)]"),
    Operation(
        "rises",
        ("keep the first and each number larger than the one before it", "remove what is not above its predecessor"),
        "xs = xs[:1] + [b for a, b in zip(xs, xs[1:]) if b > a]",
    ),
    Operation(
        "from_largest",
        ("replace each by how far it is below the largest", "subtract each from the largest"),
        "xs = [max(xs) - x for x in xs]",
    ),
    Operation(
        "two_digits",
        ("keep only numbers of two digits, with any sign", "remove what has not exactly two digits"),
        "xs = [x for x in xs if 10 <= abs(x) <= 99]",
    ),
    Operation("mirror", ("append the reversed list", "write the list again backwards after it"), "xs = xs + xs[::-1]"),
    Operation(
        "sort_last_digit",
        ("sort them by last digit, ties in their old order", "put them in order of last digit, ties unmoved"),
        "xs = sorted(xs, key=lambda x: abs(x) % 10)",
    ),
    Operation(
        "above_mean",
        ("keep only the numbers above the mean", "remove what is not greater than the average"),
        "xs = [x for x in xs if x * len(xs) > sum(xs)]",
    ),
    Operation(
        "pair_sums",
        ("replace the list by the sums of neighbours", "add each number to the next and drop the last"),
        "xs = [a + b for a, b in zip(xs, xs[1:])]",
    ),
    Operation(
        "repeated",
        ("keep only the numbers that occur more than once", "remove every number that occurs exactly once"),
        "xs = [x for x in xs if xs.count(x) > 1]",
    ),
)

OUTPUTS: tuple[Operation, ...] = (
    Operation("all", ("print them separated by spaces", "print the list on one line"), "print(*xs)"),
    Operation("sum", ("print their sum", "print the total"), "print(sum(xs))"),
    Operation("largest", ("print the largest, or 0 if there is none",), "print(max(xs, default=0))"),
    Operation("count", ("print how many there are", "print their number"), "print(len(xs))"),
    Operation("smallest", ("print the smallest, or 0 if there is none",), "print(min(xs, default=0))"),
    Operation("kinds", ("print how many different numbers there are",), "print(len(set(xs)))"),
    Operation("final", ("print the last one, or 0 if there is none",), "print(xs[-1] if xs else 0)"),
    Operation(
        "span",
        ("print the largest minus the smallest, or 0 if there is none",),
        "print(max(xs, default=0) - min(xs, default=0))",
    ),
    Operation("squares", ("print the sum of their squares",), "print(sum(x * x for x in xs))"),
    Operation("negatives", ("print how many are negative",), "print(sum(x < 0 for x in xs))"),
    Operation(
        "alternating",
        ("print the first minus the second plus the third and so on",),
        "print(sum(xs[::2]) - sum(xs[1::2]))",
    ),
    Operation("lines", ("print them one a line, nothing if there are none",), "for x in xs:\n    print(x)"),
)
