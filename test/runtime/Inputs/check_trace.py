"""Checks a trace against the stats of the same run.

  check_trace.py TRACE.json STATS.json

Spans of a track do not overlap, lie in the pass, and name their line; the
bytes that leave each rank add up to what was counted; a stage holds the spans
that say they are its own.  A collective of all ranks ends on no rank before it
began on another: so the ranks' clocks agree."""

import collections
import json
import sys

trace, stats = (json.load(open(path)) for path in sys.argv[1:3])
slices = [e for e in trace["traceEvents"] if e["ph"] == "X"]
slack = trace["otherData"]["clocks agree within seconds"] * 2e6 + 1
ranks = stats["ranks"]


def fail(text):
    sys.exit("check_trace: " + text)


def end(e):
    return e["ts"] + e["dur"]


def spans_of(rank):
    return [e for e in slices
            if e["pid"] == rank and e["cat"] not in ("pass", "stage")]


def check_rank(rank):
    spans = spans_of(rank)
    whole = [e for e in slices if e["pid"] == rank and e["cat"] == "pass"]
    if len(whole) != 1:
        fail(f"{len(whole)} passes on rank {rank}")
    at = whole[0]["ts"]
    for e in spans:
        if e["ts"] < at - 1e-3 or e["dur"] < 0:
            fail(f"{e['name']} begins before what stands before it has ended")
        if e["args"]["line"] <= 0:
            fail(f"{e['name']} has no line")
        at = end(e)
    if at > end(whole[0]) + 1e-3:
        fail("a span ends after its pass")
    leaving = sum(e["args"].get("bytes leaving the rank", 0) for e in spans)
    if leaving != stats["counted_bytes"][rank]:
        fail(f"{leaving} bytes leave rank {rank} in the trace, "
             f"{stats['counted_bytes'][rank]} were counted")
    for stage in (e for e in slices if e["pid"] == rank
                  and e["cat"] == "stage"):
        inside = [e for e in spans if e["tid"] == 0
                  and stage["ts"] <= e["ts"] < end(stage)]
        names = collections.Counter(e["args"]["stage"] for e in inside)
        if set(names) != {stage["name"]}:
            fail(f"in stage {stage['name']}: {dict(names)}")


def check_clocks():
    calls = [[e for e in spans_of(r) if e["tid"] == 1] for r in range(ranks)]
    for call in zip(*calls):
        if max(e["ts"] for e in call) > min(end(e) for e in call) + slack:
            fail("a collective ends before all ranks are in it")
    return len(calls[0])


for rank in range(ranks):
    check_rank(rank)
collectives = check_clocks()
flops = sum(e["args"].get("flops", 0) for e in slices)
if stats.get("flops") and abs(flops - stats["flops"]) > 1e-6 * flops:
    fail(f"{flops} operations in the trace, {stats['flops']} predicted")
print(f"{ranks} ranks, {len(spans_of(0))} spans each, {collectives} "
      "collectives; bytes and operations as predicted")
