"""The instruction set that a schema is compiled to. Plain integers, because numba reads them.

Operands are called ``a``, ``b``, ``c``.

numba's cache of the kernel notices changes of ``kernel.py`` only: whoever changes a number here
must touch that file too, or the old kernel goes on being used.
"""

from __future__ import annotations

# One value. a: column; c: list the column belongs to, -1 for the packet itself.
INT = 1
LONG = 2
FLOAT = 3
DOUBLE = 4
BOOLEAN = 5
STRING = 6
SHORT_STRING = 7
OPTIONAL = 10
"""Added to one of the above: a union of null and that type; b: index of the null branch."""

# Runs of values nobody asked for. b: how many.
SKIP_BYTES = 20
SKIP_NUMBERS = 21
SKIP_STRINGS = 22
SKIP_OPTIONAL_BYTES = 23
"""a: size of the value; c: index of the null branch. Booleans, floats, doubles and fixed."""
SKIP_OPTIONAL_NUMBERS = 24
SKIP_OPTIONAL_STRINGS = 25

# Structure.
NULL_OR_NEXT = 30
"""a: where to go on if null; b: index of the null branch."""
UNION = 31
"""a: first entry of the union in the jump table; b: number of branches."""
JUMP = 32
ARRAY_BEGIN = 33
"""a: list index or -1; b: where to go on after the array; c: least bytes of an item."""
ARRAY_NEXT = 34
"""a: list index or -1; b: first instruction of an item; c: least bytes of an item."""
PRESENT = 35
"""a: column that is set because the record is there."""
ENUM = 36
"""b: number of symbols."""
END = 40

# Kinds of column, in the order in which columns are laid out.
KIND_FLOAT = 0
KIND_DOUBLE = 1
KIND_INT = 2
KIND_LONG = 3
KIND_BOOLEAN = 4
KIND_STRING = 5
KIND_SHORT_STRING = 6

# What may be wrong with a packet.
OK = 0
TRUNCATED = 1
BAD_NUMBER = 2
BAD_LENGTH = 3
BAD_UNION = 4
BAD_BOOLEAN = 5
BAD_COUNT = 6
TRAILING_BYTES = 7
TOO_LONG_STRING = 8
TOO_MANY_ITEMS = 9
BAD_STRING = 10
TOO_DEEP = 11
TOO_LARGE = 12
LISTS_FULL = 99
"""No fault of the packet: the arrays must grow, and the packet be read again."""

FAULTS: dict[int, tuple[str, str]] = {
    TRUNCATED: ("truncated", "the bytes end before the record does"),
    BAD_NUMBER: ("bad_avro", "a number is longer than ten bytes or out of its type's range"),
    BAD_LENGTH: ("bad_avro", "a string or bytes of negative length"),
    BAD_UNION: ("bad_avro", "a union branch that its schema does not have"),
    BAD_BOOLEAN: ("bad_avro", "a boolean that is neither 0 nor 1"),
    BAD_COUNT: ("bad_avro", "an array claims more items than there are bytes"),
    TRAILING_BYTES: ("trailing_bytes", "bytes are left after the record"),
    TOO_LONG_STRING: ("bad_avro", "a name or identifier of more than 65,535 bytes"),
    TOO_MANY_ITEMS: ("too_many_items", "a history of more than 100,000 points"),
    BAD_STRING: ("bad_avro", "a text that is not UTF-8"),
    TOO_LARGE: ("too_large", "a record of more than 1 MiB in a schema that only fastavro reads"),
    TOO_DEEP: ("bad_avro", "arrays nested more than 16 deep"),
}
"""Reason and detail of each fault."""
