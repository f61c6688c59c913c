#!/usr/bin/python3
"""bench/run names what it can do and what it lacks, and a server that it started does not outlive it.

bench_test.py: no benchmark is run."""
import os, pathlib, re, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ("urr", "bin/bench_client", "bin/order_client", "bin/hold_client", "bin/line_client", "bin/relay_client")


def bench(root, *names):
    done = subprocess.run([root / "bench/run", *names], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stderr.strip()


def check(what, wanted):
    if not wanted:
        sys.exit(f"FAILED: {what}")


def names_of_the_readme():
    """What the table's first column names."""
    rows = [line.split("|")[1] for line in (ROOT / "bench/README.md").read_text().splitlines() if line.startswith("| `")]
    return {name for cell in rows for name in re.findall("`([^`]+)`", cell)}


def a_copy(folder):
    """Our benchmarks in a tree that has built everything."""
    shutil.copytree(ROOT / "bench", folder / "bench")
    for program in PROGRAMS:
        file = folder / "build/release" / program
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("#!/bin/sh\nexit 1\n")
        file.chmod(0o755)


def the_readme_names_what_can_be_run():
    status, said = bench(ROOT, "no-such")
    known = set(said.partition("known: ")[2].split())
    check(f"status {status}: {said}", status == 2 and known)
    check(f"README and bench/run differ: {sorted(known ^ names_of_the_readme())}", known == names_of_the_readme())


def make_builds_what_is_needed(folder):
    built = re.search(r"scripts/build release (.*)", (ROOT / "Makefile").read_text()).group(1).split()
    for program in PROGRAMS:
        check(f"`make release` does not build {program}", pathlib.Path(program).name in built)
        (folder / "build/release" / program).rename(folder / "away")
        status, said = bench(folder, "pg-holds")
        wanted = f"bench: build/release/{program} is missing: run `make release`"
        check(f"status {status}: {said}", status == 1 and said == wanted)
        (folder / "away").rename(folder / "build/release" / program)


def a_server_does_not_outlive_a_failure(folder):
    """hold_client of the copy fails; so does a start that left a server behind."""
    script = folder / "scripts/engines/postgres.sh"
    script.parent.mkdir(parents=True)
    for end, ended in (("exit 1", "no server today"), ("exit 0", "")):
        script.write_text(f"""#!/bin/sh
if [ "$1" = stop ]; then kill "$(cat '{folder}/pid')"; touch "{folder}/stopped"; exit 0; fi
mkdir -p "$1"
sleep 600 >/dev/null 2>&1 &
echo $! >"{folder}/pid"
echo "no server today" >&2
{end}
""")
        script.chmod(0o755)
        status, said = bench(folder, "pg-holds")
        check(f"status {status}: {said}", status == 1 and ended in said and said.startswith("bench: "))
        check(f"a server runs on: {said}", (folder / "stopped").exists())
        check(f"more than a line: {said}", "\n" not in said)
        (folder / "stopped").unlink()


def main():
    the_readme_names_what_can_be_run()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        a_copy(folder)
        make_builds_what_is_needed(folder)
        a_server_does_not_outlive_a_failure(folder)
    print("all as it should be")


main()
