# What `dev` and `easyfaas` need to know about the host. Sourced, never run.
# shellcheck shell=bash

readonly JAVA_MAJOR=25

# Java encodes arguments and file names by the locale, and cron jobs, services and containers have
# none. Every Linux with glibc 2.35 or musl has this one built in.
export LC_ALL=C.UTF-8

fail() {
  printf 'easyfaas: %s\n' "$*" >&2
  exit 3
}

# Says what takes long while it does.
say() {
  printf 'easyfaas: %s\n' "$*" >&2
}

# Prints the home of a JDK of the right version: JAVA_HOME if it is one, else the first in the
# usual folder.
find_java_home() {
  local home
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/*; do
    if [[ -x "$home/bin/javac" ]] && grep -qs "^JAVA_VERSION=\"${JAVA_MAJOR}[.\"]" "$home/release"; then
      printf '%s\n' "$home"
      return
    fi
  done
  fail "no JDK $JAVA_MAJOR found in JAVA_HOME or /usr/lib/jvm. Install one, for example Eclipse" \
    "Temurin $JAVA_MAJOR, and set JAVA_HOME to it."
}

# Makes sure that commands exist. Arguments: command:debian-package pairs. As root the missing
# packages are installed; otherwise the message says what to install.
require_commands() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [[ ${#missing[@]} -eq 0 ]] && return
  if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
    fail "missing on this machine. Install: ${missing[*]}"
  fi
  say "installing ${missing[*]}"
  {
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q "${missing[@]}"
  } >&2 || fail "apt-get could not install: ${missing[*]}"
}
