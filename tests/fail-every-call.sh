#!/usr/bin/env bash
# Lets every system call that changes a run's folder fail once: each write, fsync, close, rename, open, truncate of a short run, of features and
# of exports, one at a time, and writes that take but half. Nothing may be lost: each command fails in one line or does not notice, and the same
# command afterwards gives what an undisturbed one gives, byte for byte.
#   tests/fail-every-call.sh FOLDER_OF_PICTURES
# `-` in place of the folder makes pictures. Needs Linux and a C compiler. DINO names the program; the built one is the default. Exits with 3 where the tools are missing.
set -euo pipefail

(($#)) || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
read -ra dino <<<"${DINO:-dotnet $root/src/Dino.Cli/bin/Release/net10.0/dino.dll}"
compiler=${CC:-cc}
[[ $(uname) == Linux ]] && command -v "$compiler" >/dev/null || { echo "not run: it needs Linux and a C compiler ($compiler)"; exit 3; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [[ $1 == - ]]; then
  pictures=$scratch/pictures
  "$root/tests/faults/make-pictures" "$pictures" 8
else
  pictures=$(cd "$1" && pwd)
fi
"$compiler" -shared -fPIC -O1 -o "$scratch/fail_call.so" "$root/tests/faults/fail_call.c" -ldl -pthread
export DOTNET_TieredPGO=0 # a start is most of each run

network=(--device cpu --threads 1 --num-workers 1 --embed-dim 16 --depth 1 --num-heads 2 --patch-size 8 --global-crops-size 16
  --local-crops-size 8 --local-crops-number 1 --hidden-dim 16 --bottleneck-dim 8 --out-dim 32 --batch-size 4 --warmup-epochs 0 --epochs 3
  --saveckp-freq 2)

# disturbed FOLDER NUMBER ERRNO COMMAND…: runs it with one call failing; the exit status is the program's.
disturbed() {
  env LD_PRELOAD="$scratch/fail_call.so" DINO_FAIL_UNDER="$1" DINO_FAIL_CALL="$2" DINO_FAIL_ERRNO="$3" DINO_FAIL_LOG="$1.calls" \
    "${@:4}" >"$1.out" 2>"$1.err"
}

# words WHAT FOLDER: the command line.
words() {
  case $1 in
    train) command=("${dino[@]}" train --data "$pictures" --output-dir "$2" "${network[@]}") ;;
    features) command=("${dino[@]}" features "$scratch/weights.safetensors" "$pictures" --output-dir "$2" --device cpu --threads 1) ;;
    pth) command=("${dino[@]}" export "$scratch/weights.safetensors" "$2/backbone.pth" --format pth --force) ;;
    hf) command=("${dino[@]}" export "$scratch/weights.safetensors" "$2" --format hf --force) ;;
  esac
}

# Speed and time differ in the log; steps and losses do not.
log() { grep -oE '^\{"step":[0-9]+,"epoch":[0-9]+,"loss":[^,]*|^\{"epochEnd":[0-9]+' "$1/log.jsonl" 2>/dev/null || true; }

same() { # WHOLE FOLDER
  local name
  diff <(ls -A "$1") <(ls -A "$2") || return 1
  for name in $(ls -A "$1"); do
    [[ $name == log.jsonl || $name == args.json ]] || cmp "$1/$name" "$2/$name" || return 1
  done
  [[ ! -e $1/args.json ]] || diff <(grep -v '"output_dir"' "$1/args.json") <(grep -v '"output_dir"' "$2/args.json") || return 1
  diff <(log "$1") <(log "$2")
}

status=0
# every WHAT: each call of a command, by each error that it can have.
every() {
  local what=$1 whole=$scratch/$1 calls number folder code lost=0 runs=0 silent=0
  mkdir -p "$whole"
  words "$what" "$whole"
  disturbed "$whole" 0 0 "${command[@]}" || { cat "$whole.err"; return 1; }
  calls=$(wc -l <"$whole.calls")
  [[ $what != train || -s $scratch/weights.safetensors ]] || cp "$whole/latest.safetensors" "$scratch/weights.safetensors"
  for ((number = 1; number <= calls; number++)); do
    # EIO, ENOSPC and EDQUOT in turn; a write also takes but half.
    local errors=($(((number % 3 == 0) * 5 + (number % 3 == 1) * 28 + (number % 3 == 2) * 122)))
    ! sed -n "${number}p" "$whole.calls" | grep -q ' write ' || errors+=(0)
    for error in "${errors[@]}"; do
      folder=$scratch/part
      rm -rf "$folder" "$folder".*
      [[ $what != pth ]] || mkdir -p "$folder"
      words "$what" "$folder"
      code=0
      disturbed "$folder" "$number" "$error" "${command[@]}" || code=$?
      runs=$((runs + 1))
      grep -q FAILS "$folder.calls" || { echo "$what: call $number did not come"; }
      local at
      at=$(grep FAILS "$folder.calls" | head -1 || true)
      if ((code > 1)) || { ((code == 1)) && (($(wc -l <"$folder.err") != 1)); } || grep -q 'internal error' "$folder.err"; then
        echo "$what: exit code $code, errno $error at $at"; head -5 "$folder.err"; lost=$((lost + 1)); continue
      fi
      ((code == 1)) || silent=$((silent + 1))
      # What the failing call left must be whole, or not be there.
      if ! "${command[@]}" >"$folder.again" 2>&1; then
        echo "$what: does not go on after errno $error at $at"; tail -3 "$folder.again"; lost=$((lost + 1)); continue
      fi
      same "$whole" "$folder" || { echo "$what: other files after errno $error at $at"; lost=$((lost + 1)); }
    done
  done
  echo "$what: $calls calls, $((runs - lost)) of $runs failures lost nothing ($silent did not matter to the command)"
  ((lost == 0)) || status=1
}

for what in train features pth hf; do
  every $what
done
exit $status
