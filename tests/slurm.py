"""An imitation of Slurm on this machine: programs of its names that run what they are given."""

import os
from pathlib import Path

PROGRAMS = {
    # every job of the array at once, as on a cluster with room for all
    "sbatch": """
cp "$1" "$here/batch.sh"
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\)%.*/\\1/p' "$1")
for n in $(seq 0 "$last"); do "$here/node" "$n" > /dev/null 2>&1 & done
echo "Submitted batch job 42"
""",
    "node": """
export PATH="$here:$PATH"
export SLURM_JOB_ID=$((42 + $1)) SLURM_ARRAY_JOB_ID=42 SLURM_ARRAY_TASK_ID=$1 SLURM_CPUS_PER_TASK=1
exec bash "$here/batch.sh"
""",
    # after --unbuffered, --output FILE and --error FILE comes the job
    "srun": """
echo $$ > "$here/$SLURM_ARRAY_TASK_ID.pid"
shift 5
exec "$@"
""",
    "scontrol": """
echo "$@" >> "$here/scontrol.log"
"$here/node" "${2#42_}" > /dev/null 2>&1 &
""",
    "sacct": "",
}


def imitate(folder: Path) -> dict[str, str]:
    """The environment in which Slurm's programs are those of the folder, which are written."""
    folder.mkdir()
    for name, text in PROGRAMS.items():
        program = folder / name
        program.write_text(f'#!/bin/bash\nhere=$(dirname "$0")\n{text}')
        program.chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
