#!/usr/bin/env bash
# Completes an installed directory: a Java runtime with the modules the engine uses, and an ahead-of-time cache.
#
#   deploy/assemble.sh DIRECTORY [JDK]
#
# The directory has lib/ (jars) and bin/ (launcher), as Maven leaves them in cli/target/dist. It can
# be moved or copied (cp -a) afterwards; a target machine needs no JDK. `./dev build` runs this.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here
# shellcheck source=deploy/host.sh
source "$here/host.sh"

[[ -d "${1:-}/lib" ]] || fail "usage: deploy/assemble.sh DIRECTORY [JDK], with DIRECTORY/lib"
dist="$(cd "$1" && pwd)"
jdk="${2:-$(find_java_home)}"
readonly dist jdk

# What the jars need, by jdeps, and the flight recorder.
readonly modules=java.base,java.logging,java.naming,java.net.http,java.xml,jdk.jfr,jdk.net,jdk.unsupported

copy_scripts() {
  mkdir -p "$dist/deploy"
  cp "$here/../easyfaas" "$dist/easyfaas"
  cp "$here/host.sh" "$here/memory.sh" "$dist/deploy/"
}

# Netty would unpack its library to /tmp at every start.
unpack_native_library() {
  local jar
  for jar in "$dist"/lib/netty-transport-native-epoll-*-linux-"$(uname -m | sed s/aarch64/aarch_64/)".jar; do
    (cd "$dist/bin" && "$jdk/bin/jar" --extract --file "$jar" META-INF/native)
    mv "$dist"/bin/META-INF/native/*.so "$dist/bin/"
    rm -r "$dist/bin/META-INF"
  done
}

link_runtime() {
  rm -rf "$dist/runtime"
  "$jdk/bin/jlink" --output "$dist/runtime" --add-modules "$modules" \
    --strip-java-debug-attributes --no-header-files --no-man-pages
  # For starts without the ahead-of-time cache.
  "$dist/runtime/bin/java" -XX:+UseSerialGC -XX:+UseCompactObjectHeaders -Xshare:dump >/dev/null
}

# Where sandboxes cannot be made, as in most image builds, training ends early, and the cache lacks
# what comes after.
train() {
  rm -f "$dist/lib/easyfaas.aot"
  EASYFAAS_JAVA_FLAGS="-XX:AOTCacheOutput=$dist/lib/new.aot" \
    "$here/train.py" "$dist" >"$dist/lib/training.log" 2>&1 ||
    say "the training ended early; see $dist/lib/training.log"
  if [[ -f "$dist/lib/new.aot" ]]; then
    mv "$dist/lib/new.aot" "$dist/lib/easyfaas.aot"
  else
    say "no ahead-of-time cache, starts take longer; see $dist/lib/training.log"
  fi
  rm -f "$dist/lib/new.aot.config"
}

say "making the installation's Java runtime"
copy_scripts
unpack_native_library
link_runtime
say "making its ahead-of-time cache: an engine runs some functions"
train
