# SPDX-License-Identifier: MIT
#
# MC_WARNINGS: the warnings that this code is free of; --enable-werror makes
# them errors.
AC_DEFUN([MC_WARNINGS], [
	AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror],
		[warnings are errors])], [], [enable_werror=no])
	MC_CFLAGS="-std=gnu11 -Wall -Wextra -Wshadow -Wmissing-prototypes"
	MC_CFLAGS="$MC_CFLAGS -Wstrict-prototypes -Wpointer-arith -Wvla"
	MC_CFLAGS="$MC_CFLAGS -Wwrite-strings -Wno-missing-field-initializers"
	MC_CFLAGS="$MC_CFLAGS -fvisibility=hidden"
	AS_IF([test "x$enable_werror" = xyes], [MC_CFLAGS="$MC_CFLAGS -Werror"])
	AC_SUBST([MC_CFLAGS])
])
