# dspc_mlir: the parts of MLIR 22 that dspc links, all static.
#
# The C API comes as many archives that need each other: one link group.  The
# archives are found by name and not by MLIRConfig.cmake, which would ask for
# every package that any of MLIR's 600 libraries can use.

set(DSPC_LLVM_DIR "" CACHE PATH "LLVM 22 with MLIR; empty: search")
set(_hints ${DSPC_LLVM_DIR} $ENV{DSPC_LLVM_DIR} /usr/lib/llvm-22)
find_path(DSPC_MLIR_INCLUDE mlir-c/IR.h HINTS ${_hints} PATH_SUFFIXES include)
find_library(DSPC_MLIR_CAPI libMLIRCAPIIR.a HINTS ${_hints} PATH_SUFFIXES lib)
if(NOT DSPC_MLIR_INCLUDE OR NOT DSPC_MLIR_CAPI)
  message(FATAL_ERROR
    "MLIR 22 was not found: install libmlir-22-dev and llvm-22-dev from "
    "apt.llvm.org, or name the folder with -DDSPC_LLVM_DIR=/path/to/llvm-22")
endif()
get_filename_component(DSPC_MLIR_LIB ${DSPC_MLIR_CAPI} DIRECTORY)
get_filename_component(DSPC_LLVM_ROOT ${DSPC_MLIR_LIB} DIRECTORY)
set(DSPC_LLVM_BIN ${DSPC_LLVM_ROOT}/bin)

set(_archives "")
foreach(capi IR IRDL Func Arith SCF Transforms)
  if(EXISTS ${DSPC_MLIR_LIB}/libMLIRCAPI${capi}.a)
    list(APPEND _archives ${DSPC_MLIR_LIB}/libMLIRCAPI${capi}.a)
  endif()
endforeach()
file(GLOB _mlir ${DSPC_MLIR_LIB}/libMLIR*.a)
list(FILTER _mlir EXCLUDE REGEX "libMLIRCAPI")
list(APPEND _archives ${_mlir})
foreach(llvm Support Demangle TargetParser Core BinaryFormat)
  list(APPEND _archives ${DSPC_MLIR_LIB}/libLLVM${llvm}.a)
endforeach()

# A linker script with one GROUP keeps 500 archives off every command line.
list(JOIN _archives "\n  " _group)
set(DSPC_MLIR_GROUP ${CMAKE_BINARY_DIR}/lib/libdspc_mlir_group.a)
file(WRITE ${DSPC_MLIR_GROUP}.new "GROUP (\n  ${_group}\n)\n")
file(COPY_FILE ${DSPC_MLIR_GROUP}.new ${DSPC_MLIR_GROUP} ONLY_IF_DIFFERENT)

find_package(Threads REQUIRED)
add_library(dspc_mlir INTERFACE)
target_include_directories(dspc_mlir SYSTEM INTERFACE ${DSPC_MLIR_INCLUDE})
target_link_libraries(dspc_mlir INTERFACE
  ${DSPC_MLIR_GROUP} z zstd tinfo m Threads::Threads stdc++)
