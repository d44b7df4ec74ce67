/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static enum mc_status
become(const struct passwd *user)
{
	if (initgroups(user->pw_name, user->pw_gid) == -1 ||
	    setgid(user->pw_gid) == -1 || setuid(user->pw_uid) == -1)
		return mc_fail(NULL, MC_INTERNAL, "cannot become user %s: %s",
		    user->pw_name, strerror(errno));
	if (setuid(0) != -1 || seteuid(0) != -1 || geteuid() != user->pw_uid)
		return mc_fail(NULL, MC_INTERNAL, "became user %s, but could "
		    "become root again", user->pw_name);
	return MC_OK;
}

enum mc_status
privilege_drop(const char *name)
{
	const struct passwd *user;

	if (*name == '\0') {
		if (geteuid() == 0)
			mc_log(NULL, MC_WARN, "running as root: the setting "
			    "\"user\" names nobody else");
		return MC_OK;
	}
	errno = 0;
	user = getpwnam(name);
	if (user == NULL)
		return mc_fail(NULL, MC_INVALID, "user %s: %s", name,
		    errno != 0 ? strerror(errno) : "there is no such user");
	if (geteuid() == user->pw_uid)
		return MC_OK;
	if (geteuid() != 0)
		return mc_fail(NULL, MC_DENIED, "cannot become user %s: only "
		    "root can", name);
	return become(user);
}

void
privilege_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		mc_log(NULL, MC_WARN, "cannot raise the limit of open files: "
		    "%s", strerror(errno));
}

void
privilege_hide_memory(void)
{
	struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1)
		mc_log(NULL, MC_WARN, "cannot forbid core files: %s",
		    strerror(errno));
}
