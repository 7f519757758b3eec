"""Write the lower-casing table of the Python that runs this script, as C++.

usage: python unicode_table.py OUTPUT

Lower-casing must equal `str.lower` for every code point, and Unicode's data
changes with each Python version; so the running Python is asked, not a file.
Three things are recorded per code point: the distance to its lower case, and
whether it is "cased", "case-ignorable" (both decide the shape of a final
sigma) or white space (which `str.split()` splits on).
"""

import sys

PAGE = 256
CASED, IGNORABLE, SPACE = 1, 2, 4
SIGMA, FINAL_SIGMA = "\u03a3", "\u03c2"
# The one code point whose lower case is two code points; unicode.cpp knows it.
DOTTED_I = "\u0130"


def lower_distance(char):
    """Return how far the lower case of `char` is, in code points."""
    lower = char.lower()
    if len(lower) == 1:
        return ord(lower) - ord(char)
    if char != DOTTED_I or lower != "i\u0307":
        raise SystemExit(
            f"U+{ord(char):04X} lower-cases to {len(lower)} code points: teach unicode.cpp"
        )
    return 0


def properties(char):
    """Return the flags of `char`, found by looking at what a sigma beside it becomes."""
    after_letter = ("A" + char + SIGMA).lower().endswith(FINAL_SIGMA)
    after_nothing = ("1" + char + SIGMA).lower().endswith(FINAL_SIGMA)
    cased = CASED if after_nothing else 0
    ignorable = IGNORABLE if after_letter and not after_nothing else 0
    return cased | ignorable | (SPACE if char.isspace() else 0)


def paged(values):
    """Return (page of each block, distinct pages): equal blocks are stored once."""
    pages, index, numbers = [], [], {}
    for start in range(0, len(values), PAGE):
        page = tuple(values[start : start + PAGE])
        if page not in numbers:
            numbers[page] = len(pages)
            pages.append(page)
        index.append(numbers[page])
    return index, pages


def array(kind, name, values):
    """Return one C++ array definition."""
    body = ",".join(map(str, values))
    return f"static const {kind} {name}[{len(values)}] = {{{body}}};\n"


def main(output):
    """Write the tables to `output`."""
    chars = [chr(code) for code in range(sys.maxunicode + 1)]
    lower_index, lower_pages = paged([lower_distance(char) for char in chars])
    flag_index, flag_pages = paged([properties(char) for char in chars])
    with open(output, "w", encoding="ascii") as file:
        file.write(f"// Written by unicode_table.py with Python {sys.version.split()[0]}.\n")
        file.write(array("std::uint16_t", "lower_index", lower_index))
        file.write(array("std::int32_t", "lower_pages", [v for page in lower_pages for v in page]))
        file.write(array("std::uint16_t", "flag_index", flag_index))
        file.write(array("std::uint8_t", "flag_pages", [v for page in flag_pages for v in page]))


if __name__ == "__main__":
    main(sys.argv[1])
