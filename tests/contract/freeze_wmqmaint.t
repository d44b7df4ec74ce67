#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The contract of freezes, kept by wmqmaint: it needs a key, which is made here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${MC_BUILD:-.}" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/metacube-freeze-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
"$build/metacube-wmqmaint" keygen "$scratch/key"
cat >"$scratch/wmqmaint.conf" <<END
module = "wmqmaint";
settings = {
	path = "frozen";
	key_files = "$scratch/key";
	freeze_every = "100ms";
	settle = "0ms";
};
END
"$build/metacube-contract" freeze "$build/modules/.libs/wmqmaint.so" \
	"$scratch/wmqmaint.conf" "$here/conf/wmq_file.conf" \
	"$here/conf/tcapw_gdbm.conf" || [ $? -eq 1 ]
