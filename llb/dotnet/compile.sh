# Compiles a program of crosshull's: sh compile.sh OUTPUT SOURCES
#
# It takes the newest SDK of the image. A program that uses MSBuild runs with any of them, as MSBuild's assemblies are
# compatible. The targeting pack has the assemblies to compile against. If an image lacks it, the runtime's own
# assemblies will do.
set -e
root=$(dirname "$(readlink -f "$(command -v dotnet)")")
newest() { ls -d "$@" 2> /dev/null | sort -V; }
for dir in $(newest "$root"/sdk/*/); do [ ! -f "$dir/Roslyn/bincore/csc.dll" ] || sdk=$dir; done
for dir in $(newest "$root"/shared/Microsoft.NETCore.App/*/) \
  $(newest "$root"/packs/Microsoft.NETCore.App.Ref/*/ref/net*/); do
  [ ! -f "$dir/System.Runtime.dll" ] || from=$dir
done
set -- "$1" "$2"/*.cs
out=$1; shift
for dll in "$from"System*.dll "$from"Microsoft.Win32*.dll "$from"mscorlib.dll "$from"netstandard.dll \
  "$sdk"Microsoft.Build.dll "$sdk"Microsoft.Build.Framework.dll; do
  set -- "$@" "-r:$dll"
done
exec dotnet exec "$sdk"Roslyn/bincore/csc.dll -noconfig -nostdlib -nologo -deterministic -optimize -langversion:12 \
  "-out:$out" "$@"
