/* SPDX-License-Identifier: MIT */
/*
 * secret - a secret as a setting names it: the text itself, "file:/path", or
 * "credential:NAME" for a file in $CREDENTIALS_DIRECTORY (systemd).
 */
#ifndef SERVER_SECRET_H
#define SERVER_SECRET_H

#define SECRET_WHY_SIZE	512

/* NULL: why says what is wrong, without any part of the secret.  One line
 * break at the end of a file is not part of it. */
char	*secret_read(const char *written, char why[SECRET_WHY_SIZE]);
void	 secret_free(char **);		/* wipes */

#endif
