// Names that dsp-opt does not know are MLIR's; unknown to both, an error.
// RUN: dsp-opt %s -passes=canonicalize,cse | FileCheck %s
// RUN: dsp-opt %s -passes='canonicalize{max-iterations=2}' | FileCheck %s
// RUN: not dsp-opt %s -passes=canonicalise 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not dsp-opt %s -passes='plan-shards{rank=4}' 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: not dsp-opt %s -plan-shards=ranks=0 2>&1 | FileCheck %s --check-prefix=RANKS
// RUN: not dsp-opt %t.nothing 2>&1 | FileCheck %s --check-prefix=FILE
// UNKNOWN: error: a pass of this list is unknown to dsp and to MLIR
// OPTION: cannot read the list of passes at 'rank=4}'
// RANKS: cannot read the list of passes at 'ranks=0}'
// FILE: dsp-opt: {{.*}}nothing: No such file or directory

// CHECK-LABEL: func.func @model
// CHECK-NEXT: %[[ONE:.*]] = arith.constant 1 : index
// CHECK-NEXT: return %[[ONE]] : index
module {
  func.func @model() -> index {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %sum = arith.addi %zero, %one : index
    return %sum : index
  }
}
