#!/usr/bin/env bash
# Builds a console project outside the tree that has the library Dino.Model alone, embeds a picture with it in four lines, and compares the
# features with those of `dino features`, bit for bit. No package for plots, consoles or command lines may come along.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
read -ra dino <<<"${DINO:-dotnet $root/src/Dino.Cli/bin/Release/net10.0/dino.dll}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$root/tests/faults/make-pictures" "$scratch/pictures" 1
picture=$scratch/pictures/even/000.bmp
checkpoint=$root/tests/fixtures/checkpoints/hf

mkdir "$scratch/embed"
cat >"$scratch/embed/embed.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
  <ItemGroup>
    <ProjectReference Include="$root/src/Dino.Model/Dino.Model.csproj" />
  </ItemGroup>
</Project>
PROJECT
cat >"$scratch/embed/Program.cs" <<'PROGRAM'
using Dino.Model;
using Dino.Tensors;

using var device = Device.Open("cpu");
using var embedder = Embedder.Open(args[0], device);
float[] features = embedder.Embed(args[1]);
Console.WriteLine(string.Join('\n', features.Select(value => $"{BitConverter.SingleToUInt32Bits(value):x8}")));
PROGRAM
dotnet build -c Release "$scratch/embed" -o "$scratch/out" >"$scratch/build.log" 2>&1 || { tail -20 "$scratch/build.log"; exit 1; }

if ls "$scratch/out" | grep -iE '^(ScottPlot|HarfBuzz|Spectre|System\.CommandLine|MathNet|Dino\.Train|dino\.dll)'; then
  echo "These came along, and are of no use to a picture's features."
  exit 1
fi
dotnet "$scratch/out/embed.dll" "$checkpoint" "$picture" >"$scratch/ours"
"${dino[@]}" features "$checkpoint" "$scratch/pictures" --output-dir "$scratch/features" --device cpu >/dev/null 2>"$scratch/err" || { cat "$scratch/err"; exit 1; }
# The numbers of an .npy file stand behind 128 bytes.
od -An -v -tx4 -w4 -j128 "$scratch/features/features.npy" | tr -d ' ' >"$scratch/theirs"
cmp "$scratch/ours" "$scratch/theirs"
echo "$(wc -l <"$scratch/ours") numbers, the same as those of dino features"
