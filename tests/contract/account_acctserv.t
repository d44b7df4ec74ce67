#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The contract of changes of accounts, kept by the account server itself, with
# a mail system that puts each mail into a folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${MC_BUILD:-.}" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/metacube-account-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/mailbox"
cat >"$scratch/sendmail" <<END
#!/bin/sh
new=\$(mktemp "$scratch/new-XXXXXX") || exit 75
cat >"\$new" && mv "\$new" "$scratch/mailbox"
END
chmod 755 "$scratch/sendmail"
cat >"$scratch/mail_sendmail.conf" <<END
module = "mail_sendmail";
settings = {
	command = "$scratch/sendmail";
	spool = "spool";
	from = "metacube@example.com";
};
END
cat >"$scratch/acctserv.conf" <<END
module = "acctserv";
settings = {
	listen = "";
	listen_unix = "";
	audit = "audit";
	cost = 1;
};
END
CONTRACT_MAILBOX=$scratch/mailbox "$build/metacube-contract" account \
	"$build/modules/.libs/acctserv.so" "$scratch/acctserv.conf" \
	"$scratch/mail_sendmail.conf" "$here/conf/wmq_file.conf" \
	"$here/conf/tcapw_gdbm.conf" || [ $? -eq 1 ]
