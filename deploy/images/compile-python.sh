#!/usr/bin/env bash
# Compiles Python's files of an image: `compile-python.sh ROOT FOLDER VERSION` with a FOLDER below ROOT. The compiled files
# hold no times, and are used without a look at their sources, which a read-only image cannot change.
set -euo pipefail
root=$1 folder=$2 version=$3

for python in /usr/bin/python3 "python$version" python3; do
    if [ "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$version" ]; then
        # Some packages hold files of other Pythons, as examples or for tests.
        "$python" -I -m compileall -qq -f -j 2 --invalidation-mode unchecked-hash -s "$root" -p / "$folder" || true
        exit
    fi
done
echo "Python $version is missing, which compiles what the image holds for that version; install python$version" >&2
exit 1
