# SPDX-License-Identifier: MIT
#
# MC_MODULE(NAME, [LIBRARY], [SUMMARY])
#
# One module: the switch --enable-module-NAME, the check that the library it
# needs (a variable MC_HAVE_LIBRARY set by MC_LIBRARY) is there, a conditional
# MODULE_NAME for its module.mk, and its line in the summary.  mc_all_modules
# becomes "no" with the first one that is not built.
AC_DEFUN([MC_MODULE], [
	AC_ARG_ENABLE([module-$1], [AS_HELP_STRING([--disable-module-$1],
		[do not build the module $1])], [], [enable_module_$1=auto])
	mc_why=
	AS_IF([test "x$enable_module_$1" = xno],
		[mc_why="switched off"],
		[m4_ifval([$2], [AS_IF([test "x$MC_HAVE_$2" != xyes],
			[mc_why="needs $2"])], [:])])
	AS_IF([test "x$enable_module_$1" = xyes && test -n "$mc_why"],
		[AC_MSG_ERROR([module $1: $mc_why])])
	AM_CONDITIONAL([MODULE_]m4_toupper([$1]), [test -z "$mc_why"])
	AS_IF([test -z "$mc_why"], [mc_why=yes],
		[mc_why="no ($mc_why)"; mc_all_modules=no])
	mc_summary="$mc_summary
    $1: $mc_why"
])

# MC_LIBRARY(NAME, VARIABLE, HEADER, FUNCTION, LIBRARY)
#
# A library without a pkg-config file: sets VARIABLE_LIBS and MC_HAVE_NAME.
AC_DEFUN([MC_LIBRARY], [
	MC_HAVE_$1=no
	AC_CHECK_HEADER([$3], [AC_CHECK_LIB([$5], [$4],
		[MC_HAVE_$1=yes; $2_LIBS=-l$5])])
	AC_SUBST([$2_LIBS])
])
