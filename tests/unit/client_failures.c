/* SPDX-License-Identifier: MIT */
/*
 * Every way that a connection of libmetacube-client can fail, and what a
 * server must not send.
 */
#include "client_rig.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void
unreachable(void)
{
	struct counterpart there = { .plain = true, .scenes = { hang_up } };
	struct witness witness;

	counterpart_start(&there);
	counterpart_stop(&there);	/* now nobody listens there */
	begin(&witness, there.endpoint, &usual);
	login_to_the_end(&witness, NULL);
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_CONNECT);
	CU_ASSERT_PTR_NOT_NULL(strstr(witness.why, there.endpoint));
	metacube_client_free(&witness.client);
}

/* Its first part is too long for any name server to be asked, which might
 * take its time. */
static void
unknown_host(void)
{
	static const char host[] = "no-such-host-since-more-letters-than-"
	    "these-never-stand-between-two-dots.invalid:1";
	struct witness witness;

	begin(&witness, host, &usual);
	login_to_the_end(&witness, NULL);
	CU_ASSERT_EQUAL(witness.error, METACUBE_E_RESOLVE);
	CU_ASSERT_PTR_NOT_NULL(strstr(witness.why, "no-such-host"));
	metacube_client_free(&witness.client);
}

static void
web_server(struct counterpart *self)
{
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	if (send(self->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) > 0)
		silence(self);
}

static void
not_tls(void)
{
	struct counterpart server = { .plain = true,
	    .scenes = { web_server } };

	fails(&server, METACUBE_E_NO_TLS, "does not speak TLS", &usual);
}

static void
old_tls(void)
{
	struct counterpart server = { .scenes = { hang_up },
	    .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2" };

	fails(&server, METACUBE_E_TLS_VERSION, "TLS 1.3", &usual);
}

static void
never_speaks(void)
{
	struct counterpart server = { .plain = true, .scenes = { silence } };
	struct metacube_options options = usual;

	options.handshake_ms = 200;
	fails(&server, METACUBE_E_TIMEOUT, "handshake", &options);
}

static void
closes_at_once(void)
{
	struct counterpart server = { .plain = true, .scenes = { hang_up } };

	fails(&server, METACUBE_E_CLOSED, "closed", &usual);
}

static void
closes_after_login(void)
{
	struct counterpart server = { .scenes = { hang_up } };

	fails(&server, METACUBE_E_CLOSED, "closed", &usual);
}

static void
hear_and_wait(struct counterpart *self)
{
	if (hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN))
		hear_the_end(self);
}

static void
never_answers(void)
{
	struct counterpart server = { .scenes = { hear_and_wait } };
	struct metacube_options options = usual;

	options.answer_ms = 200;
	fails(&server, METACUBE_E_TIMEOUT, "did not answer", &options);
}

static void
certificate_fails(enum certificate which, enum metacube_error error,
    const char *words)
{
	struct counterpart server = { .certificate = which,
	    .scenes = { hang_up } };

	fails(&server, error, words, &usual);
}

static void
bad_certificates(void)
{
	certificate_fails(CERT_OTHER_CA, METACUBE_E_CERT_UNTRUSTED,
	    "another CA");
	certificate_fails(CERT_OTHER_CA_SAME_NAME, METACUBE_E_CERT_UNTRUSTED,
	    counterpart_ca());
	certificate_fails(CERT_SELF_SIGNED, METACUBE_E_CERT_SELF_SIGNED,
	    "self-signed");
	certificate_fails(CERT_EXPIRED, METACUBE_E_CERT_EXPIRED, "expired");
	certificate_fails(CERT_NOT_YET, METACUBE_E_CERT_NOT_YET, "clock");
	certificate_fails(CERT_OTHER_HOST, METACUBE_E_CERT_NAME, "127.0.0.1");
	certificate_fails(CERT_FOR_CLIENTS, METACUBE_E_CERT_BAD, "servers");
	certificate_fails(CERT_WORLD_2, METACUBE_E_CERT_ROLE,
	    "metacube:world/world-2");
}

static void
other_server_name(void)
{
	struct counterpart server = { .scenes = { hang_up },
	    .certificate = CERT_OTHER_HOST };
	struct metacube_options options = usual;

	options.server_name = "elsewhere.example";
	fails(&server, METACUBE_E_CLOSED, "closed", &options);
}

static void
too_long(struct counterpart *self)
{
	if (hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN)) {
		counterpart_send(self, "\x7f\xff\xff\xff", 4);
		hear_the_end(self);
	}
}

static void
garbage(struct counterpart *self)
{
	if (hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN)) {
		counterpart_send(self, "\0\0\0\4\xff\xff\xff\xff", 8);
		hear_the_end(self);
	}
}

static void
out_of_place(struct counterpart *self)
{
	Metacube__Vanished vanished_ = METACUBE__VANISHED__INIT;

	if (hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN)) {
		SAY(self, 0, VANISHED, vanished, vanished_);
		hear_the_end(self);
	}
}

/* 60,000 bytes of empty map entries: 30,000 allocations and 1.7 MB. */
static void
bomb(struct counterpart *self)
{
	static uint8_t frame[60004];
	size_t at = 4;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN))
		return;
	memcpy(frame, "\0\0\xea\x60", 4);
	frame[at++] = 13 << 3 | 2;	/* maps = 13, 59,996 bytes */
	frame[at++] = 0xdc;
	frame[at++] = 0xd4;
	frame[at++] = 0x03;
	while (at < sizeof(frame)) {
		frame[at++] = 1 << 3 | 2;	/* an empty entry */
		frame[at++] = 0;
	}
	counterpart_send(self, frame, sizeof(frame));
	hear_the_end(self);
}

static void
nonsense(void)
{
	scene_fn *const scenes[] = { too_long, garbage, out_of_place, bomb };

	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		struct counterpart server = { .scenes = { scenes[i] } };

		fails(&server, METACUBE_E_PROTOCOL, "sent", &usual);
	}
}

/* The client's own Login with some bytes that are otherwise, in frames of the
 * right length: whatever the client makes of it is no more than an error. */
static void
damaged_scene(struct counterpart *self)
{
	uint8_t frame[512];
	size_t len;
	uint32_t head;

	if (!hear(self, METACUBE__ENVELOPE__MESSAGE_LOGIN))
		return;
	len = metacube__envelope__pack(heard, frame + 4);
	for (int i = 0; i < 20; i++) {
		frame[4 + (size_t)rand() % len] = (uint8_t)rand();
		if (i % 4 == 0)	/* another kind of message */
			frame[6] = (uint8_t)(rand() % 32 << 3 | 2);
		head = htonl((uint32_t)len);
		memcpy(frame, &head, 4);
		counterpart_send(self, frame, len + 4);
	}
}

static void
damaged(void)
{
	struct witness witness;

	srand(1);
	for (int i = 0; i < 50; i++) {
		struct counterpart server = { .scenes = { damaged_scene } };

		counterpart_start(&server);
		begin(&witness, server.endpoint, &usual);
		login_to_the_end(&witness, "newbie-island");
		CU_ASSERT_EQUAL(metacube_client_state(witness.client),
		    METACUBE_IDLE);
		CU_ASSERT_NOT_EQUAL(witness.story[0], '\0');
		metacube_client_free(&witness.client);
		counterpart_stop(&server);
	}
}

const struct cutap_test client_failure_tests[] = {
	{ "nobody listens there", unreachable },
	{ "no such host", unknown_host },
	{ "the server does not speak TLS", not_tls },
	{ "the server has TLS 1.2 only", old_tls },
	{ "the server never speaks", never_speaks },
	{ "the server closes at once", closes_at_once },
	{ "the server closes after the handshake", closes_after_login },
	{ "the server never answers", never_answers },
	{ "each fault of a certificate has its error",
	    bad_certificates },
	{ "another server name can be asked for", other_server_name },
	{ "nonsense from a server ends the connection", nonsense },
	{ "damaged messages are an error and no more", damaged },
	{ NULL, NULL }
};
