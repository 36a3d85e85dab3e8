#include "dspc/plan/plan.h"
