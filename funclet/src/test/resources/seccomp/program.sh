#!/usr/bin/env bash
# What shell programs do: coreutils, pipes, jobs, git, curl.
set -euo pipefail

# Reads all of it, so that whoever writes is not told of a closed pipe.
has() { grep -x -- "$1" >/dev/null; }

git init -q repository
cd repository
printf 'one\ntwo\n' >file
cp -a --reflink=auto file copy
cat file copy | sort -u | tee sorted | wc -l | has 2
ln -s file link
mkfifo pipe
cat pipe >reversed &
tac file >pipe
wait
has two <reversed
touch -d 2020-01-01 file
ls -l --color=always >listing
find . -name file -exec stat -c %s {} + | has 8
tar -cf - file copy | tar -tf - | has copy
dd if=/dev/zero of=zeros bs=4k count=4 conv=fsync status=none
truncate -s 0 zeros
timeout 10 nice -n 5 ionice -c 3 true
taskset -c "$(taskset -cp $$ | sed 's/.*: //')" true
sync
df . >/dev/null
nproc >/dev/null
ulimit -c 0
git add file copy link
git -c user.name=A -c user.email=a@b commit -qm 'first'
git log --format=%s | has first
git gc -q
curl -s "file://$PWD/file" | has one
python3 -m http.server --bind 127.0.0.1 8000 >/dev/null 2>&1 &
curl -s --retry 50 --retry-delay 1 --retry-connrefused http://127.0.0.1:8000/file | has two
kill %%
echo fine
