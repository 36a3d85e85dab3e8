#include <mlir-c/IR.h>
#include "../dialect/verifier.h"
#include <mpi.h>
#include <stdio.h>
