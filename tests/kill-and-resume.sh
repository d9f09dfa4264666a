#!/usr/bin/env bash
# Kills `dino train` with SIGKILL at random moments, goes on each time, and compares what comes out with a run that nobody disturbed.
#   tests/kill-and-resume.sh FOLDER_OF_PICTURES [KILLS [OPTION_OF_TRAIN…]]
# Kills come in series of up to ten; each series is a run of its own, compared when it has ended. `-` in place of the folder makes pictures. Without
# options, a network and a number of epochs for a few dozen small pictures. DINO names the program; the built one is the default.
set -euo pipefail

(($#)) || { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2; }
pictures=$1 kills=${2:-20} most=10
shift $(($# < 2 ? $# : 2))
root=$(cd "$(dirname "$0")/.." && pwd)
read -ra dino <<<"${DINO:-dotnet $root/src/Dino.Cli/bin/Release/net10.0/dino.dll}"
options=("$@")
((${#options[@]})) || options=(--device cpu --embed-dim 32 --depth 2 --num-heads 2 --patch-size 8 --global-crops-size 32
  --local-crops-size 16 --local-crops-number 2 --hidden-dim 64 --bottleneck-dim 16 --out-dim 64 --batch-size 4 --accumulate 2
  --warmup-epochs 1 --epochs 60)

scratch=$(mktemp -d)
child=
trap '[[ -z $child ]] || kill -9 "$child" 2>/dev/null || true; rm -rf "$scratch"' EXIT
[[ $pictures != - ]] || { "$root/tests/faults/make-pictures" "$scratch/pictures" 24; pictures=$scratch/pictures; }

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

# Every step once, in order; time and speed differ.
steps() { grep -oE '^\{"step":[0-9]+' "$scratch/$1/log.jsonl"; }

# The same files, each the same byte for byte but for the log and the name of its folder among the options; nothing is left over, hidden files included.
same() {
  local name
  diff <(ls -A "$scratch/whole") <(ls -A "$scratch/parts") || return 1
  for name in $(ls -A "$scratch/whole"); do
    [[ $name == log.jsonl || $name == args.json ]] || cmp "$scratch/whole/$name" "$scratch/parts/$name" || return 1
  done
  diff <(grep -v '"output_dir"' "$scratch/whole/args.json") <(grep -v '"output_dir"' "$scratch/parts/args.json") || return 1
  diff <(steps whole) <(steps parts) >/dev/null || { echo "the logs have other steps"; return 1; }
}

killed=0 series=0 resumed=0
while ((killed < kills)); do
  series=$((series + 1))
  rm -rf "$scratch/parts" "$scratch/parts.out"
  for ((i = 0; i < most && killed < kills; i++)); do
    (train parts) &
    child=$!
    # From a tenth to half of a whole run: some die while they start, most in the middle, some while they write.
    delay=$((took / 10 + (RANDOM * 32768 + RANDOM) % (took * 4 / 10 + 1)))
    sleep "$((delay / 1000)).$(printf %03d $((delay % 1000)))"
    if ! kill -9 "$child" 2>/dev/null; then
      wait "$child" || { tail -5 "$scratch/parts.out"; exit 1; }
      child=
      break # it had ended
    fi
    wait "$child" 2>/dev/null || true
    child=
    killed=$((killed + 1))
  done
  if ! (train parts); then
    tail -5 "$scratch/parts.out"
    exit 1
  fi
  same || { echo "series $series is not the undisturbed run, after $killed kills"; exit 1; }
  resumed=$((resumed + $(grep -c '^going on from step' "$scratch/parts.out" || true)))
done
echo "the same, byte for byte, after $killed kills in $series series ($resumed resumes), $(steps whole | wc -l) steps each, in $((($(now) - started) / 1000)) s"
