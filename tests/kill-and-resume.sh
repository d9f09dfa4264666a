#!/usr/bin/env bash
# Kills `dino train` with SIGKILL at random moments, goes on each time, and compares what comes out with a run that nobody disturbed.
#   tests/kill-and-resume.sh FOLDER_OF_PICTURES [KILLS [OPTION_OF_TRAIN…]]
# Without options, a network and a number of epochs for a few dozen small pictures. DINO names the program; the built one is the default.
set -euo pipefail

(($#)) || { sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 2; }
pictures=$1 kills=${2:-20}
shift $(($# < 2 ? $# : 2))
root=$(cd "$(dirname "$0")/.." && pwd)
read -ra dino <<<"${DINO:-dotnet $root/src/Dino.Train/bin/Release/net10.0/dino.dll}"
options=("$@")
((${#options[@]})) || options=(--device cpu --embed-dim 32 --depth 2 --num-heads 2 --patch-size 8 --global-crops-size 32
  --local-crops-size 16 --local-crops-number 2 --hidden-dim 64 --bottleneck-dim 16 --out-dim 64 --batch-size 4 --accumulate 2
  --warmup-epochs 1 --epochs 60)

scratch=$(mktemp -d)
child=
trap '[[ -z $child ]] || kill -9 "$child" 2>/dev/null || true; rm -rf "$scratch"' EXIT

train() { # OUTPUT_FOLDER
  exec "${dino[@]}" train --data "$pictures" --output-dir "$scratch/$1" --saveckp-freq 7 "${options[@]}" >>"$scratch/$1.out" 2>&1
}

now() { date +%s%3N; }

started=$(now)
if ! (train whole); then
  tail -5 "$scratch/whole.out"
  exit 1
fi
took=$(($(now) - started))
echo "undisturbed: $took ms"

killed=0
while ((killed < kills)); do
  (train parts) &
  child=$!
  # Up to a third of a whole run: some die while they start, some in the middle, some while they write.
  delay=$(((RANDOM * 32768 + RANDOM) % (took / 3 + 1)))
  sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
  if ! kill -9 "$child" 2>/dev/null; then
    wait "$child" || { tail -5 "$scratch/parts.out"; exit 1; }
    child=
    echo "finished after $killed of $kills kills: give more --epochs for more" >&2
    break
  fi
  wait "$child" 2>/dev/null || true
  child=
  killed=$((killed + 1))
done
if ! (train parts); then
  tail -5 "$scratch/parts.out"
  exit 1
fi

status=0
cmp "$scratch/whole/latest.safetensors" "$scratch/parts/latest.safetensors" || status=1
# Every step once, in order, in both logs; temporary files of killed writes are gone.
steps() { grep -oE '^\{"step":[0-9]+' "$scratch/$1/log.jsonl"; }
diff <(steps whole) <(steps parts) >/dev/null || { echo "the logs have other steps"; status=1; }
diff <(ls -A "$scratch/whole") <(ls -A "$scratch/parts") || status=1
resumed=$(grep -c '^going on from step' "$scratch/parts.out" || true)
((status)) || echo "the same, byte for byte, after $killed kills ($resumed resumes), $(steps whole | wc -l) steps"
exit $status
