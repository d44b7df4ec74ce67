#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The contract of a replica, kept by servpw over a queue of its own; wmqmaint
# is there for the freeze, of which there is none.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${MC_BUILD:-.}" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/metacube-replica-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
"$build/metacube-wmqmaint" keygen "$scratch/key"
cat >"$scratch/wmqmaint.conf" <<END
module = "wmqmaint";
settings = {
	path = "frozen";
	key_files = "$scratch/key";
	freeze_every = "0ms";
};
END
cat >"$scratch/servpw.conf" <<END
module = "servpw";
settings = {
	key_files = "$scratch/key";
};
END
"$build/metacube-contract" replica "$build/modules/.libs/servpw.so" \
	"$scratch/servpw.conf" "$scratch/wmqmaint.conf" \
	"$here/conf/wmq_file.conf" "$here/conf/tcapw_mem.conf" ||
	[ $? -eq 1 ]
