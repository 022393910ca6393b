# How much memory the engine takes, decided before its JVM starts. Sourced, never run.
# shellcheck shell=bash
#
# Everything is in MiB. The engine takes half of what there is, which is the machine's memory or what
# its control group may use, and the other half is for functions; at most what it can make use of.
# See docs/operations.md.

readonly MEMORY_MOST=544  # More makes nothing faster.
readonly MEMORY_LEAST=192 # Less does not hold the largest request.
readonly MEMORY_FIXED=128 # The JVM itself: classes, machine code, compilers, threads.
readonly MEMORY_CODE=48   # Of that, machine code at most.
readonly MEMORY_JDK=32    # Buffers of the JDK's own, besides Netty's; hardly ever used.
readonly MEMORY_STEP=2    # The JVM makes heaps of multiples of it.

# Sets REPLY to the smaller of it and the smallest limit, in bytes, of a control group and all above.
# Arguments: mount point, path of the group, name of the file.
smallest_limit() {
  local mount="$1" path="${2%/}" file="$3" limit
  [[ -d "$mount$path" ]] || path="" # The path is the host's, and the mount only our part of it.
  while true; do
    limit=""
    if [[ -r "$mount$path/$file" ]]; then
      read -r limit <"$mount$path/$file" || true
    fi
    # No limit is "max", or in version 1 a number of 19 digits.
    if [[ "$limit" =~ ^[0-9]{1,18}$ ]] && [[ "$limit" -lt "$REPLY" ]]; then
      REPLY="$limit"
    fi
    [[ -n "$path" ]] || break
    path="${path%/*}"
  done
}

# Sets REPLY to what there is for this process, in bytes: the machine's memory, or less when its control
# group has a limit. Arguments: where control groups are mounted, the process's list of them, what the
# kernel says of the machine's memory.
memory_limit() {
  local mounts="$1" number controllers path total
  read -r _ total _ <"$3" # The first line is MemTotal, in KiB.
  REPLY=$((total << 10))
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
  limit=$((REPLY >> 20))
  if ((limit < MEMORY_LEAST)); then
    fail "needs $MEMORY_LEAST MiB of memory, and that of its functions; there are $limit MiB." \
      "Hint: 320 MiB are enough for --container-num 1, 1824 MiB for the 10 slots it has by itself"
  fi
  all=$((limit / 2))
  all=$((all < MEMORY_LEAST ? MEMORY_LEAST : all > MEMORY_MOST ? MEMORY_MOST : all))
  heap=$(((all - MEMORY_FIXED) * 8 / 13 / MEMORY_STEP * MEMORY_STEP))
  direct=$((all - MEMORY_FIXED - heap))
  # Netty refuses by its own count, at once; the JDK, whose limit is higher, would wait first.
  # shellcheck disable=SC2034  # Read by who sources this.
  memory_flags=(
    "-Xmx${heap}m" "-XX:MaxDirectMemorySize=$((direct + MEMORY_JDK))m"
    "-Dio.netty.maxDirectMemory=$((direct << 20))" "-XX:ReservedCodeCacheSize=${MEMORY_CODE}m"
  )
}
