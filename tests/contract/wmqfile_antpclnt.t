#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The contract of queue files, kept by a mirror: antpclnt, which mirrors the
# queue beside it through antpserv.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${MC_BUILD:-.}" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/metacube-mirror-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
port=$("$build/tests/system/mirror_data" port)
cat >"$scratch/antpclnt.conf" <<END
module = "antpclnt";
settings = {
	path = "mirror";
	server = "antp://127.0.0.1:$port/";
	plain = true;
	mirror_freeze = false;
};
END
cat >"$scratch/antpserv.conf" <<END
module = "antpserv";
use = { wmqfile = "wmq_file"; wmq = "wmq_file"; };
settings = {
	listen = "127.0.0.1:$port";
	plain = true;
	state_file = "replicas";
};
END
"$build/metacube-contract" wmqfile "$build/modules/.libs/antpclnt.so" \
	"$scratch/antpclnt.conf" "$scratch/antpserv.conf" \
	"$here/conf/wmq_file.conf" || [ $? -eq 1 ]
