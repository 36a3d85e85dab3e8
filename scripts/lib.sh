# shellcheck shell=bash
# lib.sh - what the scripts share: packages, the build, ranks on this machine.
# Sourced, not run.  Leaves the working directory at the project's root.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(
  gcc g++ cmake ninja-build pkgconf python3 python3-psutil
  libmlir-22-dev llvm-22-dev llvm-22-tools mlir-22-tools
  libopenmpi-dev openmpi-bin libopenblas-openmp-dev
  libjansson-dev libcmocka-dev libzstd-dev zlib1g-dev libtinfo-dev)

started=$SECONDS
say() { printf '==> [%d s] %s\n' $((SECONDS - started)) "$*"; }
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# quietly LOG COMMAND...: output goes to LOG; a line every 15 seconds tells
# that it still runs; what it said last is shown when it fails.
quietly() {
  local log=$1 pid code=0 waited=0
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    waited=$((waited + 1))
    [ $((waited % 15)) -ne 0 ] || printf '    ... %d s: %s\n' "$waited" \
      "$(tail -n 1 "$log" | tr -d '\r' | cut -c1-60)"
  done
  wait "$pid" || code=$?
  [ "$code" -eq 0 ] && return 0
  tail -n 30 "$log" >&2
  fail "'$(basename "$1")' ended with code $code" "all of its output: $log"
}

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null |
      grep -qx installed || printf '%s ' "$package"
  done
}

# Installs what is missing, or says how to.
need_packages() {
  command -v dpkg-query >/dev/null || {
    [ -n "${DSPC_LLVM_DIR:-}" ] ||
      fail "this is no Debian: install these yourself, then set DSPC_LLVM_DIR" \
        "to the folder of LLVM and MLIR 22:" "${packages[*]}"
    return 0
  }
  local missing
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    fail "packages are missing; as root:" \
      "apt-get update && apt-get install -y --no-install-recommends $missing"
  fi
  say "installing $(wc -w <<<"$missing") packages (LLVM and MLIR are large)"
  export DEBIAN_FRONTEND=noninteractive
  quietly /var/tmp/dspc-apt.log apt-get update
  # shellcheck disable=SC2086 # a list of words
  quietly /var/tmp/dspc-apt.log \
    apt-get install -y --no-install-recommends $missing
}

# build_preset PRESET [TARGET...]: configures once, then builds.
build_preset() {
  local preset=$1 dir=build
  shift
  [ "$preset" = default ] || dir=build-$preset
  say "building $dir"
  if [ ! -e "$dir/build.ninja" ]; then
    quietly "$dir/configure.log" cmake --preset "$preset"
  fi
  quietly "$dir/build.log" cmake --build "$dir" ${1:+--target "$@"}
}

# Open MPI: also as root, in a container, and with more ranks than cores.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_btl=self,vader
export OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_plm_rsh_agent=false
# Each rank would say that /sys is not mounted, as in a bare chroot.
export HWLOC_HIDE_ERRORS=2
# MPI asks for the name of this machine, which not every one can find.
export RES_OPTIONS="timeout:1 attempts:1"
