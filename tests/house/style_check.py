#!/usr/bin/python3
"""The house's rules that a machine can check. `style_check.py ROOT` prints what breaks them and exits
1; `style_check.py --self-test` plants one violation of each and sees it refused."""
import pathlib, re, subprocess, sys, tempfile

FLOORS = {"core": 0, "async": 1, "security": 2, "sql": 2, "telemetry": 2, "http": 3, "messaging": 3,
          "contract": 4}
OUTSIDE = re.compile(r'#include [<"](boost/|openssl/|sodium|sqlite3|libpq|librdkafka)')
LINES_MAX, COLUMNS_MAX, FUNCTION_MAX = 600, 100, 70


def floor_of(path):
    parts = path.split("/")
    if parts[0] == "libs":
        return FLOORS.get(parts[1], 9)
    return {"services": 5, "apps": 6}.get(parts[0], 9)


def long_functions(lines):
    """Bodies that open with a brace at the end of an unindented or class-level line."""
    start, depth, indent = None, 0, 0
    for number, line in enumerate(lines, 1):
        opens = re.match(r"^(\s{0,4})\S.*\)\s*(const|noexcept|override|final|\s)*(->.*)?\{$", line)
        if start is None and opens and not re.match(r"\s*(//|if|for|while|switch|namespace|TEST)", line):
            start, indent = number, len(opens.group(1))
        elif start is not None and line.rstrip(";") == " " * indent + "}":
            if number - start > FUNCTION_MAX:
                yield start, number - start
            start = None


def check_file(path, text):
    lines = text.split("\n")
    if len(lines) > LINES_MAX:
        yield f"{path}: {len(lines)} lines (at most {LINES_MAX})"
    if not re.fullmatch(r"[a-z0-9_]+\.(cpp|hpp)", path.split("/")[-1]):
        yield f"{path}: the name is not snake_case"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield f"{path}:{number}: {len(line)} columns (at most {COLUMNS_MAX})"
        if re.search(r"\b(TO" r"DO|FIX" r"ME)\b", line):
            yield f"{path}:{number}: a leftover mark"
        include = re.match(r'#include "((libs|services|apps)/[^"]+)"', line)
        if not include:
            continue
        mine, other = path.split("/"), include.group(1).split("/")
        same = mine[:2] == other[:2]
        if mine[0] == "services" and other[0] == "services" and not same:
            yield f"{path}:{number}: services never include one another"
        elif mine[0] in ("libs", "services") and not same and floor_of(include.group(1)) >= floor_of(path):
            yield f"{path}:{number}: includes run downwards only"
    for start, length in long_functions(lines):
        yield f"{path}:{start}: a function of {length} lines (at most {FUNCTION_MAX})"
    if path.endswith(".hpp"):
        if not text.startswith("//"):
            yield f"{path}: a header begins with what it is for"
        if "#pragma once" not in text:
            yield f"{path}: #pragma once is missing"
        if not path.startswith("libs/sql/sim/") and OUTSIDE.search(text):
            yield f"{path}: a library from outside in a header"


def check(root):
    listed = subprocess.run(["git", "-C", root, "ls-files", "*.cpp", "*.hpp"], capture_output=True,
                            text=True).stdout.split()
    names = listed or [str(p.relative_to(root)) for p in pathlib.Path(root).rglob("*.[ch]pp")]
    found = []
    for name in names:
        found += check_file(name, (pathlib.Path(root) / name).read_text())
    return found


PLANTED = {
    "libs/core/a.hpp": ("#pragma once\n", "begins with"),
    "libs/core/b.hpp": ("// for\n", "#pragma once"),
    "libs/core/c.hpp": ("// for\n#pragma once\n#include <boost/asio.hpp>\n", "from outside"),
    "libs/core/d.cpp": ('#include "libs/async/task.hpp"\n', "downwards"),
    "services/queue/e.cpp": ('#include "services/ticket/service.hpp"\n', "one another"),
    "libs/core/f.cpp": ("x" * 101 + "\n", "columns"),
    "libs/core/g.cpp": ("\n" * 601, "lines"),
    "libs/core/H.cpp": ("\n", "snake_case"),
    "libs/core/i.cpp": ("// TO" "DO later\n", "leftover"),
    "libs/core/j.cpp": ("void f() {\n" + "    g();\n" * 80 + "}\n", "a function"),
}


def self_test():
    for name, (text, expected) in PLANTED.items():
        with tempfile.TemporaryDirectory() as root:
            path = pathlib.Path(root) / name
            path.parent.mkdir(parents=True)
            path.write_text(text)
            found = check(root)
            if not any(expected in line for line in found):
                sys.exit(f"not found: {expected} in {name}: {found}")
    with tempfile.TemporaryDirectory() as root:
        if check(root):
            sys.exit("something found in nothing")


if sys.argv[1] == "--self-test":
    self_test()
else:
    faults = check(sys.argv[1])
    print("\n".join(faults) or "nothing found")
    sys.exit(1 if faults else 0)
