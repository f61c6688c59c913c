#!/usr/bin/python3
"""The house's rules that a machine can check. `style_check.py ROOT` prints what breaks them and exits
1; `style_check.py --self-test` plants one violation of each and sees it refused."""
import pathlib, re, shutil, subprocess, sys, tempfile

FLOORS = {"core": 0, "async": 1, "security": 2, "sql": 2, "telemetry": 2, "http": 2, "aws": 3, "redis": 3,
          "messaging": 4, "contract": 5}
OUTSIDE = re.compile(r'#include [<"](boost/|openssl/|sodium|sqlite3|libpq|librdkafka)')
LINES_MAX, COLUMNS_MAX, FUNCTION_MAX = 600, 100, 70
MEDIAN_MAX, MOST_MAX = 150, 350


def floor_of(path):
    parts = path.split("/")
    if parts[0] == "libs":
        return FLOORS.get(parts[1], 9)
    return {"services": 6, "apps": 7}.get(parts[0], 9)


LITERAL = re.compile(r'R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*.*?\*/',
                     re.S)
NO_FUNCTION = re.compile(r"\b(namespace|class|struct|enum|union|extern)\b(?!.*\()|=\s*$", re.S)


def long_functions(text):
    """(line, lines) of each function with more than FUNCTION_MAX lines, from its signature to its
    brace; a test's body counts as one. Macros are passed over: they hold no functions here."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    code = re.sub(r"^#(?:.*\\\n)*.*$", blank, LITERAL.sub(blank, text), flags=re.M)
    depth, inside, head = 0, None, 0  # `inside`: depth and start of the outermost function
    for at, c in enumerate(code):
        if c == "{":
            before = code[head:at]
            if inside is None and "(" in before and not NO_FUNCTION.search(before):
                inside = depth, head + len(before) - len(before.lstrip())
            depth += 1
        elif c == "}":
            depth -= 1
            if inside and depth == inside[0]:
                length = code.count("\n", inside[1], at) + 1
                if length > FUNCTION_MAX:
                    yield code.count("\n", 0, inside[1]) + 1, length
                inside = None
        if c in ";{}" and inside is None:
            head = at + 1


def include_cycles(texts):
    """A line for each cycle among the project's headers."""
    edges = {name: [i for i in re.findall(r'#include "([^"]+)"', text) if i in texts]
             for name, text in texts.items()}
    state = {}

    def visit(name, path):
        state[name] = "open"
        for other in edges[name]:
            if state.get(other) == "open":
                yield "includes run in a circle: " + " -> ".join(path[path.index(other):] + [other])
            elif other not in state:
                yield from visit(other, path + [other])
        state[name] = "done"
    for name in sorted(texts):
        if name not in state:
            yield from visit(name, [name])


def sizes(texts):
    """Half of the files have at most MEDIAN_MAX lines, nine in ten at most MOST_MAX."""
    lengths = sorted(text.count("\n") for text in texts.values())
    if len(lengths) < 50:
        return
    for share, bound in ((0.5, MEDIAN_MAX), (0.9, MOST_MAX)):
        found = lengths[int(len(lengths) * share)]
        if found > bound:
            yield f"{share:.0%} of the files have up to {found} lines (at most {bound})"


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
    for start, length in long_functions(text):
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
    texts = {name: (pathlib.Path(root) / name).read_text() for name in names}
    found = []
    for name, text in texts.items():
        found += check_file(name, text)
    return found + list(include_cycles(texts)) + list(sizes(texts)) + layout(root, names)


def layout(root, names):
    """Files that clang-format would change."""
    program = shutil.which("clang-format-19")
    if not program or not (pathlib.Path(root) / ".clang-format").exists():
        return []
    done = subprocess.run([program, "--dry-run", *names], cwd=root, capture_output=True, text=True)
    files = sorted({line.split(":")[0] for line in done.stderr.split("\n") if "warning:" in line})
    return [f"{name}: not laid out (make format)" for name in files]


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
    "libs/core/j.cpp": ("void f() {\n" + "    g();\n" * 69 + "}\n", "a function"),
    "libs/core/k.cpp": ("TEST(A, b) {\n" + "    g(\"{\");\n" * 69 + "}\n", "a function"),
    "libs/core/l.cpp": ("class A {\n    int f(int a,\n          int b) {\n" + "        g();\n" * 68 +
                        "    }\n};\n", "a function"),
    "libs/core/m.hpp": ('// for\n#pragma once\n#include "libs/core/m.hpp"\n', "circle"),
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
