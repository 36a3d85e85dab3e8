#include "dspc/passes/passes.h"
#include <mlir/IR/Dialect.h>
#include <mlir-c/IR.h>
