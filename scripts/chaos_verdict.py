#!/usr/bin/env python3
"""chaos_verdict.py CASE FOLDER [quiet]: what came of a case of chaos-distributed.

Reads FOLDER.json (the rehearsal's report), FOLDER.timeline (orders and failed requests) and FOLDER.faults
(what was done, and when). Prints the figures; exit status 1 where something is not as it must be.
"""
import collections
import json
import sys

case, folder, *wants = sys.argv[1:]
with open(folder + ".json") as file:
    report = json.load(file)
sold, failed, faults = [], [], []
with open(folder + ".timeline") as file:
    for line in file:
        at, what, *more = line.split()
        (sold if what == "sold" else failed).append((int(at) / 1e6, " ".join(more)))
with open(folder + ".faults") as file:
    for line in file:
        at, what = line.rstrip("\n").split(" ", 1)
        faults.append((int(at) / 1e6, what))
sold.sort()
first, last = faults[0][0], faults[-1][0]
times = [at for at, _ in sold]
before = sum(at < first for at in times)
after = sum(at > last for at in times)

# How long no order was confirmed: the longest such time that ends after the first fault.
stood, since = 0.0, None
for left, right in zip(times, times[1:]):
    if right > first and right - left > stood:
        stood, since = right - left, left
wrong = []
if not report["audit"]["ok"]:
    wrong.append("the audit found something")
if report["sold"] != report["seats"]:
    wrong.append(f"{report['sold']} of {report['seats']} seats sold")
if not before:
    wrong.append("nothing was sold before the fault")
if after < max(5, report["seats"] // 50):
    wrong.append(f"{after} orders after the last fault")
# A process that is killed takes its requests with it; nothing else may.
killed = min((at for at, what in faults if "kill" in what), default=float("inf"))
loud = [what for at, what in failed if at < killed]
if "quiet" in wants and loud:
    wrong.append(f"{len(loud)} failed requests where there must be none")

if len(faults) <= 4:
    for at, what in faults:
        print(f"   {at - times[0]:6.1f} s  {what}")
else:
    print(f"   {first - times[0]:6.1f} s to {last - times[0]:.1f} s  {len(faults)} times: {faults[0][1]}, …")
print(f"   sold {report['sold']} of {report['seats']} in {times[-1] - times[0]:.1f} s: {before} before, {after} after; "
      f"stood {stood:.1f} s" + (f" from {since - times[0]:.1f} s on" if since else ""))
kinds = collections.Counter(what for _, what in failed)
print(f"   {report['requests']} requests, {len(failed)} failed"
      + (": " + ", ".join(f"{count} {what}" for what, count in kinds.most_common(6)) if kinds else ""))
print(f"   audit {json.dumps(report['audit'])}")
print(f"{case}: " + ("; ".join(wrong) if wrong else "as it should be"))
sys.exit(1 if wrong else 0)
