# SPDX-License-Identifier: MIT
#
# MC_SANITIZERS: --enable-sanitizers=LIST and --enable-coverage; fuzzers bring
# sanitizers with them.
AC_DEFUN([MC_SANITIZERS], [
	AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers=LIST],
		[build with sanitizers: address,undefined or thread])],
		[], [enable_sanitizers=no])
	AS_IF([test "x$enable_sanitizers" = xyes],
		[enable_sanitizers=address,undefined])
	mc_flags=
	AS_IF([test "x$enable_fuzzers" = xyes], [
		AS_IF([test "x$enable_sanitizers" = xno],
			[enable_sanitizers=address,undefined])
		mc_flags=-fsanitize=fuzzer-no-link
	])
	AS_IF([test "x$enable_sanitizers" != xno], [
		mc_flags="$mc_flags -fsanitize=$enable_sanitizers"
		mc_flags="$mc_flags -fno-omit-frame-pointer"
		mc_flags="$mc_flags -fno-sanitize-recover=all"
		CFLAGS="$CFLAGS $mc_flags"
		AC_MSG_CHECKING([whether $CC accepts $mc_flags])
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])],
			[AC_MSG_RESULT([no])
			AC_MSG_ERROR([these sanitizers do not work here])])
	])
	# What a shared object uses must be there when it is linked; clang
	# leaves its sanitizers to the program.
	AS_IF([test "x$enable_sanitizers" = xno],
		[MC_DEFS=-Wl,-z,defs], [MC_DEFS=])
	AC_SUBST([MC_DEFS])
	AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage],
		[build for gcov])], [], [enable_coverage=no])
	AS_IF([test "x$enable_coverage" = xyes],
		[CFLAGS="$CFLAGS --coverage -O0"])
	AM_CONDITIONAL([SANITIZED], [test "x$enable_sanitizers" != xno])
])
