/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>

_Static_assert(METACUBE_PASSWORD_MIN == 8, "error_texts say 8");

#define COUNT(list)	(sizeof(list) / sizeof((list)[0]))

static const char *const error_texts[] = {
	[METACUBE_OK] = "no error",
	[METACUBE_E_NAME] = "this is not a permitted name",
	[METACUBE_E_PASSWORD] = "this cannot be a password",
	[METACUBE_E_MAP] = "this is not the key of a map",
	[METACUBE_E_TEXT] = "this text cannot be sent",
	[METACUBE_E_ENDPOINT] = "this is not HOST:PORT",
	[METACUBE_E_STATE] = "this cannot be done now",
	[METACUBE_E_BUSY] = "the server takes nothing now",
	[METACUBE_E_MEMORY] = "there is not enough memory",
	[METACUBE_E_CA] = "the CA file cannot be used",
	[METACUBE_E_RESOLVE] = "the host is not known",
	[METACUBE_E_CONNECT] = "the server cannot be reached",
	[METACUBE_E_TIMEOUT] = "the server does not answer",
	[METACUBE_E_CLOSED] = "the server closed the connection",
	[METACUBE_E_NO_TLS] = "the server does not speak TLS",
	[METACUBE_E_TLS_VERSION] = "the server has no TLS 1.3",
	[METACUBE_E_TLS] = "TLS failed",
	[METACUBE_E_CERT_UNTRUSTED] = "the certificate is not from our CA",
	[METACUBE_E_CERT_SELF_SIGNED] = "the certificate is self-signed",
	[METACUBE_E_CERT_EXPIRED] = "the certificate has expired",
	[METACUBE_E_CERT_NOT_YET] = "the certificate is not valid yet",
	[METACUBE_E_CERT_NAME] = "the certificate is for another host",
	[METACUBE_E_CERT_ROLE] = "the certificate is for another server",
	[METACUBE_E_CERT_BAD] = "the certificate cannot be accepted",
	[METACUBE_E_PROTOCOL] = "the server sent what makes no sense",
	[METACUBE_E_WORLD] = "another world answered",
	[METACUBE_E_RESUME] = "the session is over",
	[METACUBE_E_PASSWORD_SHORT] =
	    "a new password needs at least 8 characters",
	[METACUBE_E_PASSWORD_NAME] = "a new password must not be the name",
};

static const char *const reason_texts[] = {
	[METACUBE_R_UNSPECIFIED] = "refused",
	[METACUBE_R_BAD_REQUEST] = "the request was not understood",
	[METACUBE_R_BAD_CREDENTIALS] = "wrong name or password",
	[METACUBE_R_ACCOUNT_LOCKED] = "the account is locked",
	[METACUBE_R_TRY_LATER] = "try again later",
	[METACUBE_R_NO_SUCH_MAP] = "there is no such map",
	[METACUBE_R_NO_WORLD] = "no world server has room now",
	[METACUBE_R_BAD_TICKET] = "the ticket was not accepted",
	[METACUBE_R_WRONG_VERSION] = "client and server do not fit",
	[METACUBE_R_NOT_ALLOWED] = "not allowed",
	[METACUBE_R_SERVER_STOPPING] = "the server is stopping",
	[METACUBE_R_LOGGED_IN_ELSEWHERE] = "logged in elsewhere",
	[METACUBE_R_ACCOUNT_CHANGED] = "the account has changed: log in again",
	[METACUBE_R_ACCOUNT_INACTIVE] = "the account is not activated yet",
};

const char *
metacube_error_text(enum metacube_error error)
{
	size_t i = (size_t)error;

	return i < COUNT(error_texts) ? error_texts[i] : "unknown error";
}

const char *
metacube_reason_text(enum metacube_reason reason)
{
	size_t i = (size_t)reason;

	return reason_texts[i < COUNT(reason_texts) ? i : 0];
}

enum metacube_error
fault_set(struct fault *fault, enum metacube_error kind, const char *format,
    ...)
{
	va_list args;

	fault->kind = kind;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	return kind;
}
