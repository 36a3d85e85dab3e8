"""Compares a plan made by hand with the plan of the planner: two files of
dspc plan --json."""

import json
import sys


def plan_of(name):
    with open(name) as file:
        return json.load(file)


hand, plan = plan_of(sys.argv[1]), plan_of(sys.argv[2])
moves = hand["stages"][2]["collectives"]
print(f"by hand: {hand['plan']['collectives']} collectives, "
      f"{hand['plan']['bytes']} bytes")
print(f"a block: {moves.count('all-to-all')} all-to-alls, "
      f"{moves.count('all-gather')} all-gathers")
proved = "proved" if plan["certificate"]["optimal"] else "not proved"
print(f"the plan: {plan['plan']['collectives']} collectives, "
      f"{plan['plan']['bytes']} bytes, {proved}")
print(f"by hand {hand['plan']['bytes'] / plan['plan']['bytes']:.2f} times the "
      "bytes")
