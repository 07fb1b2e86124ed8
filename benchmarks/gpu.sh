#!/usr/bin/env bash
# The table for one NVIDIA GPU, in less than ten minutes; further options of benchmarks.jacobian
# may follow, and win. On a machine without one: benchmarks/gpu.sh --device cpu --sizes tiny
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
[ -x "$python" ] || python=python3
exec "$python" -m benchmarks.jacobian \
  --device cuda \
  --threads "$(nproc)" \
  --sizes 8M 35M 150M 650M 3B \
  --lengths 48 128 256 512 \
  --whole 48 \
  --sides ours_bf16 transformers_bf16 transformers_bf16_64 ours published \
  --seconds 1 \
  --repetitions 3 \
  "$@"
