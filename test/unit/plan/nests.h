// nests.h - random graphs of loop nests: fan-out, contractions, attention,
// products of dims, sizes that do not divide.
#ifndef DSPC_TEST_PLAN_NESTS_H
#define DSPC_TEST_PLAN_NESTS_H

#include "dspc/plan/rules.h"
#include "random.h"

/// At most `nops` ops over four atoms and the product of the last two.
DspPlanGraph random_nests(DspArena *arena, Random *random, uint32_t nops);

#endif
