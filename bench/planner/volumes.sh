#!/bin/sh
# volumes.sh - bench_volume on every example, small as it is written and at the
# sizes of the public model.
#
#   bench/planner/volumes.sh [build/bin]
set -e
cd "$(dirname "$0")/../.."
bench="${1:-build/bin}/bench_volume"

both() {
  model="examples/$1.dsp"
  shift
  "$bench" "$model" | tail -n +2
  [ $# -eq 0 ] || "$bench" "$model" "$@" | tail -n +3 | sed 's/ ranks/ real /'
}

"$bench"
both axial3d E=bf16 layers=12 T=16 Y=32 X=32 H=8 D=64
both evoformer E=bf16 blocks=48 sequences=128 n=256 Hm=8 Dm=32 Hz=4 Dz=32 \
  Ct=128 outer=32
both latte E=bf16 pairs=28 B=1 T=16 rows=32 cols=32 H=16 D=72 L=120 Cy=4096
both mmdit3d E=bf16 layers=42 B=1 T=13 rows=30 cols=45 Ch=16 H=48 \
  time_pairs=8 side_pairs=12 L=226 Cy=4096 Ct=512 wave_pairs=1536
both msa_transformer layers=12 sequences=128 residues=256 positions=1024 H=12 \
  D=64
both pairformer E=bf16 layers=48 n=384 Hs=16 Ds=24 Hz=4 Dz=32
both skiparse E=bf16 n=1320 m=4 k=4 rows=22 cols=40 Ch=8 Co=8 H=24 pairs=16 \
  L=512 Cy=4096
both stdit
both stdit3 E=bf16 depth=28 B=1 T=30 rows=45 cols=80 H=16 angles_of_head=36 \
  L=300 Cy=4096
both tabpfn layers=12 known_samples=800 test=200 Fe=20 H=6 D=32
both timesformer B=1 T=8 rows=14 cols=14 py=16 px=16 H=12 D=64 layers=12 K=400
both transformer2d E=bf16 T=30 S=3600 H=16 D=72
