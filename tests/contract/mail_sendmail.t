#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The contract of mails, kept by mail_sendmail with a command that puts each
# into a folder.
set -eu
build=$(cd "${MC_BUILD:-.}" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/metacube-mail-XXXXXX")
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
	retry_base = "100ms";
};
END
CONTRACT_MAILBOX=$scratch/mailbox "$build/metacube-contract" mail \
	"$build/modules/.libs/mail_sendmail.so" "$scratch/mail_sendmail.conf" ||
	[ $? -eq 1 ]
