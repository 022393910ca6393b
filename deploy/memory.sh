# How much memory the engine takes, decided before its JVM starts. Sourced, never run.
# shellcheck shell=bash
#
# Everything is in MiB. The engine takes half of what its control group may use, the other half is
# for functions; at most what it can make use of. See docs/operations.md.

readonly MEMORY_MOST=512  # More makes nothing faster.
readonly MEMORY_LEAST=160 # Less does not hold the largest request.
readonly MEMORY_FIXED=96  # The JVM itself: classes, machine code, threads.
readonly MEMORY_CODE=48   # Of that, machine code at most.
readonly MEMORY_JDK=32    # Buffers of the JDK's own, besides Netty's; hardly ever used.

# Sets REPLY to the smaller of it and the smallest limit, in bytes, of a control group and all above.
# Empty means none. Arguments: mount point, path of the group, name of the file.
smallest_limit() {
  local mount="$1" path="${2%/}" file="$3" limit
  [[ -d "$mount$path" ]] || path="" # The path is the host's, and the mount only our part of it.
  while true; do
    limit=""
    if [[ -r "$mount$path/$file" ]]; then
      read -r limit <"$mount$path/$file" || true
    fi
    # No limit is "max", or in version 1 a number of 19 digits.
    if [[ "$limit" =~ ^[0-9]{1,18}$ ]] && [[ -z "$REPLY" || "$limit" -lt "$REPLY" ]]; then
      REPLY="$limit"
    fi
    [[ -n "$path" ]] || break
    path="${path%/*}"
  done
}

# Sets REPLY to what the control group of this process may use, in bytes; to nothing when there is no
# limit. Arguments: where control groups are mounted, the process's list of them.
memory_limit() {
  local mounts="$1" number controllers path
  REPLY=""
  while IFS=: read -r number controllers path; do
    if [[ "$number" == 0 ]]; then
      smallest_limit "$mounts" "$path" memory.max
    elif [[ ",$controllers," == *,memory,* ]]; then
      smallest_limit "$mounts/memory" "$path" memory.limit_in_bytes
    fi
  done <"$2"
}

# Sets memory_flags to the JVM's flags, or ends with the number that is missing.
# Arguments: as for memory_limit.
plan_memory() {
  local limit all direct heap
  memory_limit "$@"
  limit="$REPLY"
  all=$MEMORY_MOST
  if [[ -n "$limit" ]]; then
    if ((limit >> 20 < MEMORY_LEAST)); then
      fail "needs $MEMORY_LEAST MiB of memory, the limit of its control group is" \
        "$((limit >> 20)) MiB. Hint: raise it to 1 GiB; half of it is for functions"
    fi
    all=$(((limit >> 20) / 2))
    all=$((all < MEMORY_LEAST ? MEMORY_LEAST : all > MEMORY_MOST ? MEMORY_MOST : all))
  fi
  direct=$(((all - MEMORY_FIXED) * 5 / 13))
  heap=$((all - MEMORY_FIXED - direct))
  # Netty refuses by its own count, at once; the JDK, whose limit is higher, would wait first.
  # shellcheck disable=SC2034  # Read by who sources this.
  memory_flags=(
    "-Xmx${heap}m" "-XX:MaxDirectMemorySize=$((direct + MEMORY_JDK))m"
    "-Dio.netty.maxDirectMemory=$((direct << 20))" "-XX:ReservedCodeCacheSize=${MEMORY_CODE}m"
  )
}
