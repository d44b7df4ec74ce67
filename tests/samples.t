#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The sample files and manual pages say what the modules' keys say.  Runs in
# the build folder, as make check does.
set -u
build=$(pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/metacube-samples-XXXXXX") || exit 99
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/conf.d"
: > "$scratch/host.conf"
test ! -d modules/.libs || chmod go-w modules/.libs modules/.libs/*.so

mcd () {
	./metacubed -c "$scratch/host.conf" \
		--set metacubed.module_dir="$build/modules/.libs" \
		--set metacubed.conf_dir="$scratch/conf.d" "$@"
}

count=0
result () {	# STATUS WHAT
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# /' "$scratch/said"
	fi
}

compared () {	# FILE NAME
	mcd --describe "$2" --format=conf > "$scratch/now" 2> "$scratch/said" &&
		diff -u "$1" "$scratch/now" > "$scratch/said" 2>&1
}

# Any remark is one too many; pages that are not installed here are fine.
linted () {	# NAME
	mcd --describe "$1" --format=man > "$scratch/page.5" \
		2> "$scratch/said" || return 1
	mandoc -Tlint "$scratch/page.5" 2>&1 |
		grep -v 'referenced manual not found' > "$scratch/said"
	test ! -s "$scratch/said"
}

# Every default, as it is written there, must be what a file may say.  Who
# needs whom, and what is required, is another matter.
accepted () {	# FILE
	sed -e 's/^enabled = false/enabled = true/' \
		-e '/# required$/!s/^\([[:blank:]]*\)#\([a-z_0-9]* = [^{]*;\)$/\1\2/' \
		"$1" > "$scratch/conf.d/all.conf"
	mcd --check > "$scratch/all" 2>&1
	rm "$scratch/conf.d/all.conf"
	grep 'all.conf:[0-9]' "$scratch/all" > "$scratch/said"
	test ! -s "$scratch/said"
}

for file in conf.d/*.conf; do
	name=$(basename "$file" .conf)
	compared "$file" "$name"
	result $? "$file says what --describe says (make update-samples)"
	if command -v mandoc > /dev/null; then
		linted "$name"
		result $? "the manual page of $name has no faults"
	fi
	test "$name" = metacubed && continue
	accepted "$file"
	result $? "the defaults of $name are accepted as they are written"
done

cp conf.d/*.conf "$scratch/conf.d"
mv "$scratch/conf.d/metacubed.conf" "$scratch/host.conf"
mcd --check > "$scratch/said" 2>&1
result $? "all samples together pass --check"
echo "1..$count"
