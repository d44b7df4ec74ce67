# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# lib.sh - for campaigns over whole networks: a system test that counts rounds
# and violations instead of single checks.
#
#	campaign restore 3 "$@"		its name, and how many rounds by default
#	for ((round = 1; round <= rounds; round++)); do ...
#		violation "what is wrong"
#	campaign_end "what holds"

campaign () {			# NAME ROUNDS [--rounds N]
	campaign_name=$1 rounds=$2
	shift 2
	[ "${1-}" != --rounds ] || rounds=$2
	violations=0 noticed=no began=$SECONDS
}

# progress - this round is done: on a terminal, how many, and how long the rest
# takes
progress () {
	[ -t 2 ] || return 0
	printf '\r%s\033[K' "$round of $rounds rounds, $((
		(rounds - round) * (SECONDS - began) / round)) s left,\
 $violations violations" >&2
	[ "$round" -ne "$rounds" ] || echo >&2
}

violation () {
	echo "# VIOLATION: round ${round-}: $*"
	violations=$((violations + 1))
}

# campaign_end WHAT-HOLDS WHAT-THE-CONTROL-IS - and $noticed says whether the
# control was noticed
campaign_end () {
	local control="passed: worthless"
	[ "$noticed" != yes ] || control="failed as it must"
	check "$1" [ $violations -eq 0 ]
	check "the control is noticed: $2" [ "$noticed" = yes ]
	echo "CAMPAIGN name=$campaign_name rounds=$rounds" \
		"violations=$violations control=$control"
	finish
}

# names PREFIX COUNT - makes so many accounts at the account server
names () {
	local n
	for ((n = 1; n <= $2; n++)); do
		account "$1-$n"
	done
}

# uids - of all accounts, at a server
uids () { ctl "$1" --json account list | sed -n 's/.*"uid":"\([0-9]*\)".*/\1/p'; }

# same - account server and replica hold the same, as the digests say
same () {
	ctl gateway replica verify 10
}
