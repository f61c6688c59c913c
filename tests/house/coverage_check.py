#!/usr/bin/python3
"""docs/coverage.md lists every row of the architecture once, and each test that it names exists.
`coverage_check.py ROOT BUILD`."""
import pathlib, re, sys

# How many rows each area of the architecture has.
ROWS = {"NET": 13, "EKS": 14, "SVC": 21, "NP": 17, "RDS": 8, "RED": 5, "KAF": 8, "ALB": 4, "CF": 8,
        "WAF": 2, "SQS": 2, "FN": 4, "DDB": 2, "S3": 2, "APG": 2, "SEC": 6, "GW": 8, "VWR": 5,
        "SG": 9, "IAM": 9, "CD": 8, "ENV": 11, "ALM": 8, "MON": 3}
SOURCES = ("*_test.cpp", "*.sh", "*.mjs", "*.py", "CMakeLists.txt", "*.hcl")
FOLDERS = ("libs", "services", "apps", "tests", "sim", "edge", "terraform")


def rows_of(text):
    for line in text.split("\n"):
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) >= 5 and re.fullmatch(r"[A-Z][A-Z0-9]*-\d+", cells[1]):
            yield cells[1], cells[2], cells[3]


def faults(text, known):
    """`known(word)`: does a test of that name exist?"""
    expected = [f"{area}-{n}" for area, count in ROWS.items() for n in range(1, count + 1)]
    seen = [row for row, _, _ in rows_of(text)]
    for row in expected:
        if seen.count(row) != 1:
            yield f"{row}: stands {seen.count(row)} times"
    for row in seen:
        if row not in expected:
            yield f"{row}: is no row of the architecture"
    for row, where, test in rows_of(text):
        if where == "not yet":
            continue
        names = re.findall(r"[A-Za-z]\w*_\w+|[A-Z]+_?\d+\w*", test)
        planned = re.search(r"test-infrastructure: ([A-Z0-9]+-\d+)", test)
        if planned and not known(f"check {planned.group(1)}"):
            yield f"{row}: no check of the name {planned.group(1)} over the plan"
        if not names and not planned:
            yield f"{row}: is there ({where}) and names no test"
        for name in names:
            if not known(name):
                yield f"{row}: there is no test {name}"


def check(root):
    root = pathlib.Path(root)
    text = "\n".join(p.read_text() for folder in FOLDERS for pattern in SOURCES
                     for p in (root / folder).rglob(pattern) if "node_modules" not in p.parts)
    words = set(re.findall(r"\w+", text))
    programs = {f"{m}_test" for m in re.findall(r"NAME (\w+)",
                "\n".join(p.read_text() for p in root.rglob("*/CMakeLists.txt")))}
    programs |= {p.stem for p in (root / "tests").rglob("*_test.*")}
    coverage = (root / "docs" / "coverage.md").read_text()
    plan = "\n".join(p.read_text() for p in root.glob("tests/infrastructure/terraform/checks/*.mjs"))
    checks = {f"check {row}" for row in re.findall(r"['\"]([A-Z0-9]+-\d+)['\"]", plan)}
    return list(faults(coverage, (words | programs | checks).__contains__))


def self_test():
    good = "\n".join(f"| {area}-{n} | here | a_test |" for area, count in ROWS.items()
                     for n in range(1, count + 1))
    if found := list(faults(good, {"a_test"}.__contains__)):
        sys.exit(f"nothing is wrong, yet: {found[:3]}")
    planted = {
        "stands 0": good.replace("| NET-1 | here | a_test |\n", ""),
        "stands 2": good + "\n| NET-1 | here | a_test |",
        "no row": good + "\n| NET-99 | here | a_test |",
        "names no test": good.replace("| NET-1 | here | a_test |", "| NET-1 | here | |"),
        "over the plan": good.replace("| NET-1 | here | a_test |",
                                      "| NET-1 | here | make test-infrastructure: NET-1 |"),
        "no test b_test": good.replace("| NET-1 | here | a_test |", "| NET-1 | here | b_test |"),
    }
    for expected, text in planted.items():
        if not any(expected in line for line in faults(text, {"a_test"}.__contains__)):
            sys.exit(f"not found: {expected}")


if sys.argv[1] == "--self-test":
    self_test()
else:
    found = check(sys.argv[1])
    print("\n".join(found) or "nothing found")
    sys.exit(1 if found else 0)
