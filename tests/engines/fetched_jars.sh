#!/usr/bin/env bash
# fetched_jars.sh LIB: what is fetched once is whole before it is used, is not fetched again, and changes
# nothing of the script that asks for it; what could not be fetched is asked for anew the next time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export URR_ENGINES_CACHE=$folder/cache PATH=$folder/bin:$PATH
# shellcheck source=scripts/engines/lib.sh
. "$1"
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# In Maven's place: puts one jar where it is told, or is cut off in the midst of it.
mkdir "$folder/bin"
cat >"$folder/bin/mvn" <<'END'
#!/usr/bin/env bash
echo asked >>"$URR_ENGINES_CACHE/asked"
touch "${!##-DoutputDirectory=}/one.jar"
[ ! -e "$URR_ENGINES_CACHE/cut" ]
END
chmod +x "$folder/bin/mvn"
mkdir "$URR_ENGINES_CACHE"

group=mine name=mine version=3.6.0 artifact=mine
touch "$URR_ENGINES_CACHE/cut"
! (maven_jars "tools-$version" "org.example:tools:$version" org.example:other:1.7.36) 2>/dev/null ||
    fail "a download that was cut off is taken for whole"
rm "$URR_ENGINES_CACHE/cut"
maven_jars "tools-$version" "org.example:tools:$version" org.example:other:1.7.36 2>/dev/null
maven_jars "tools-$version" "org.example:tools:$version" org.example:other:1.7.36
[ "$group $name $version $artifact" = "mine mine 3.6.0 mine" ] || fail "it wrote over its caller's words: $version"
[ -e "$URR_ENGINES_CACHE/tools-3.6.0/one.jar" ] || fail "the jar is not there"
[ "$(wc -l <"$URR_ENGINES_CACHE/asked")" = 2 ] || fail "what is there was fetched again"
