#!/usr/bin/env bash
# Publishes the program as one file with the runtime in it, takes that file alone to another folder, and lets it read a JPEG, a PNG and a TIFF
# by both ways to decode: the features must be those of the program as it is built, bit for bit. Says the file's size. For linux-x64.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
read -ra dino <<<"${DINO:-dotnet $root/src/Dino.Cli/bin/Release/net10.0/dino.dll}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/pictures" "$scratch/away" "$scratch/home"
# Of 16 × 16 pixels; the JPEG has halved colours, by which the two ways differ.
base64 -d >"$scratch/pictures/a.jpg" <<JPEG
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//
2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAQABADASIAAhEBAxEB/8QA
FQABAQAAAAAAAAAAAAAAAAAABQb/xAAiEAABAwMDBQAAAAAAAAAAAAACAAURAQMEEhNhITJCYoH/xAAVAQEBAAAAAAAAAAAAAAAAAAACBP/EACARAAEDAgcA
AAAAAAAAAAAAAAIAAQUEERQiMVFhgZH/2gAMAwEAAhEDEQA/AJLFbhEZLp8TLfhDdKtBHthJiylfEaCWiPWUyzMJYpHUrm5rjxiInnlEDe/CsjZKnw4uxZ+9
/NF//9k=
JPEG
base64 -d >"$scratch/pictures/b.png" <<PNG
iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAARklEQVR4nGNkYGAQYOAgHrEwCHAwMJCA6Kyh4x4LA8MfBoYvDAxfGJDADyUXXDb8YcAKBHA6
6QvNNeAAg1sDI8OBhKGelgB8qxMD2DK47gAAAABJRU5ErkJggg==
PNG
base64 -d >"$scratch/pictures/c.tif" <<TIFF
SUkqAJwBAAB4nHXKkbbtQAwA0ODF4KG3ggeDhQeDxcHiYDFYHCwOFgeLg8VgMXgweDGf8M4HvK61cQMAwg8BMrwSUIZ3ARaYKqQGc4c8YFEoBquDBGyAP4hI
+GKkhO+MXHASTBXnhrnjMrAorobiuAVWoO9+ERHTOxFnmgoloblSbrR0KoNWJTHanGrQDvxC/u43MyeeMqfCs3CuvDQundfBorwZV+c9uEEiTG9K3z3df/7+
l6ZqaffUIh2Q35iZ8sQ5Pf68W26ej8gdCmOZqCQu8+MvzcrhpUc5QSaURDKz5Mcvh0l3OUMG1IR1ppq5Lo+/dqun1xH1gjZjy9QWbuXxt9Pa8HZFU+gZ+0K9
cF8ffx/WL+8a/Yax4Cg0Vh7y+MdlQ33cMQy0oK6kwrolrVn3ok30qNqbnl3H0EtVTW9XC/2ArWhCtrHVZHu2VuwQ69XOZqPbNey7bzNz+4Q5uKBv5JV9T96y
H8W7+Fl9NL+66/Bb/bs/7h7+C7FhVIqdo6U4cvQSp8SocbXQHvcI0/hYfPdvRPwDVk1WkAoAAAEDAAEAAAAQAAAAAQEDAAEAAAAQAAAAAgEDAAMAAAAaAgAA
AwEDAAEAAAAIAAAABgEDAAEAAAACAAAAEQEEAAEAAAAIAAAAFQEDAAEAAAADAAAAFgEDAAEAAAAQAAAAFwEEAAEAAACUAQAAHAEDAAEAAAABAAAAAAAAAAgA
CAAIAA==
TIFF

# What is built for it lies elsewhere: the folders of the tree keep what they hold.
dotnet publish "$root/src/Dino.Cli" -c Release -r linux-x64 --self-contained -p:PublishSingleFile=true \
  --artifacts-path "$scratch/artifacts" -o "$scratch/published" >"$scratch/publish.log" 2>&1 || { tail -20 "$scratch/publish.log"; exit 1; }
cp "$scratch/published/dino" "$scratch/away"
cd "$scratch/away"

features() {
  local to=$1 decode=$2
  shift 2
  "$@" features "$root/tests/fixtures/checkpoints/hf" "$scratch/pictures" --device cpu --decode "$decode" --output-dir "$scratch/$to" \
    >"$scratch/out" 2>"$scratch/err" && grep -q '^3 features' "$scratch/out" || { cat "$scratch/out" "$scratch/err"; exit 1; }
}
for decode in fast exact; do
  # Of the machine's .NET it shall need nothing.
  features "$decode" "$decode" env -i HOME="$scratch/home" PATH=/usr/bin:/bin ./dino
  features "$decode-built" "$decode" "${dino[@]}"
  cmp "$scratch/$decode/features.npy" "$scratch/$decode-built/features.npy"
done
! cmp -s "$scratch/fast/features.npy" "$scratch/exact/features.npy" || { echo "fast and exact read the JPEG alike"; exit 1; }
echo "one file of $(stat -c %s dino) bytes reads the pictures as the built program does"
