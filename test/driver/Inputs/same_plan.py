"""dspc plan, dspc advise and compiling take the same plan under a limit.

  same_plan.py PLAN.json ADVICE.json LOWERED.mlir PLANNED.mlir"""

import json
import re
import sys

plan, advice = (json.load(open(name)) for name in sys.argv[1:3])
memory = plan["memory"]
print(f"limit {memory['limit']}, limited {memory['limited']}, "
      f"unlimited {memory['unlimited_bytes']}")
assert memory["floor"] <= memory["needed"] <= memory["limit"]
assert memory["needed"] == plan["weight_bytes"] + plan["activation_bytes"]
assert plan["certificate"]["bytes"] == plan["plan"]["bytes"]
assert plan["certificate"]["lower_bound"] <= plan["plan"]["bytes"]
row = next(m for m in advice["meshes"] if m["ranks"] == plan["ranks"])
assert row["fits"] and row["bytes"] == plan["plan"]["bytes"]
assert row["memory_bytes"] == memory["needed"]
for name in sys.argv[3:]:
    text = open(name).read()
    list_of = re.search(r"dsp.predicted_bytes = (?:array<i64: |\[)([^>\]]*)", text)
    sent = [int(re.match(r"\s*(\d+)", x).group(1))
            for x in list_of.group(1).split(",")]
    assert sum(sent) == plan["plan"]["bytes"], (name, sent)
print("the same plan")
