#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The contract of a mirror, antpclnt, with antpserv at the other end of the
# line; replicas_antpserv.t has it the other way round, wmqfile_antpclnt.t the
# queue files that it keeps.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${MC_BUILD:-.}" && pwd)
[ -n "${MIRROR_PORT-}" ] ||
	exec "$build/tests/system/mirror_data" port "$here/${0##*/}" "$@"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/metacube-mirror-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
service=${1-mirror} module=${2-antpclnt} other=${3-antpserv}
cat >"$scratch/antpclnt.conf" <<END
module = "antpclnt";
settings = {
	path = "mirror";
	server = "antp://127.0.0.1:$MIRROR_PORT/";
	plain = true;
	mirror_freeze = false;
};
END
cat >"$scratch/antpserv.conf" <<END
module = "antpserv";
use = { wmqfile = "wmq_file"; wmq = "wmq_file"; };
settings = {
	listen = "127.0.0.1:$MIRROR_PORT";
	plain = true;
	state_file = "replicas";
};
END
"$build/metacube-contract" $service "$build/modules/.libs/$module.so" \
	"$scratch/$module.conf" "$scratch/$other.conf" \
	"$here/conf/wmq_file.conf" || [ $? -eq 1 ]
