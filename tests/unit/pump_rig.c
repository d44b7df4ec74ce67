/* SPDX-License-Identifier: MIT */
#include "pump_rig.h"

#include "count.h"
#include "ctl.h"
#include "instance.h"
#include "log.h"
#include "scratch.h"
#include "timer.h"

#include <CUnit/CUnit.h>

#include <gnutls/x509.h>

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PRIORITY	"NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:" \
			"+GROUP-X25519:+GROUP-SECP256R1:%SERVER_PRECEDENCE"

struct pump_rig rig;

/* Certificates */

static int
pki(char **words, int count)
{
	int out = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY);
	int status;

	fflush(stdout);
	dup2(null, STDOUT_FILENO);	/* TAP is for TAP */
	status = pki_main(count, words);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(null);
	return status;
}

static void
pki_or_bail(char **words, int count)
{
	if (pki(words, count) == CTL_FINE)
		return;
	printf("Bail out! pki %s failed\n", words[1]);
	exit(EXIT_FAILURE);
}

void
rig_issue(const char *dir, const char *roles, const char *name)
{
	char init[] = "init", issue[] = "issue", force[] = "--force";
	char *folder = strdup(dir), *list = strdup(roles);
	char *called = strdup(name), ca[4096];
	char *init_words[] = { init, init, folder, NULL };
	char *words[] = { issue, issue, force, folder, list, called, NULL };

	snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
	if (access(ca, R_OK) != 0)
		pki_or_bail(init_words, 3);
	pki_or_bail(words, 6);
	free(folder);
	free(list);
	free(called);
}

static void
load_pair(const char *name, gnutls_x509_crt_t *crt,
    gnutls_x509_privkey_t *key)
{
	gnutls_datum_t pem;

	gnutls_x509_crt_init(crt);
	gnutls_x509_privkey_init(key);
	if (gnutls_load_file(rig_file(name, "pem"), &pem) == 0)
		gnutls_x509_crt_import(*crt, &pem, GNUTLS_X509_FMT_PEM);
	gnutls_free(pem.data);
	if (gnutls_load_file(rig_file(name, "key"), &pem) == 0)
		gnutls_x509_privkey_import(*key, &pem, GNUTLS_X509_FMT_PEM);
	gnutls_free(pem.data);
}

void
rig_expire(const char *name)
{
	gnutls_x509_crt_t ca, crt;
	gnutls_x509_privkey_t ca_key, key;
	gnutls_datum_t pem = { 0 };
	char file[64];

	load_pair("ca", &ca, &ca_key);
	load_pair(name, &crt, &key);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 2 * 86400);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) - 86400);
	if (gnutls_x509_crt_sign2(crt, ca, ca_key, GNUTLS_DIG_SHA256, 0) != 0 ||
	    gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem) != 0) {
		printf("Bail out! cannot sign %s again\n", name);
		exit(EXIT_FAILURE);
	}
	snprintf(file, sizeof(file), "pki/%s.pem", name);
	scratch_write(file, pem.data, pem.size, 0600);
	gnutls_free(pem.data);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(ca_key);
	gnutls_x509_privkey_deinit(key);
}

const char *
rig_file(const char *name, const char *suffix)
{
	char file[64];

	snprintf(file, sizeof(file), "pki/%s.%s", name, suffix);
	return scratch_path(file);
}

/* What the listener does: it echoes what is said; some names have effects. */

struct session {
	struct mc_conn	*conn;
	uint32_t	 last;
};

static void *
opened(void *state, struct mc_conn *conn)
{
	struct session *session;

	rig.seen.peer = *mc_conn_peer(conn);
	if (state != &rig)
		return NULL;
	session = mc_zalloc(sizeof(*session));
	session->conn = conn;
	rig.seen.opened++;
	return session;
}

static void
say(struct mc_conn *conn, uint32_t cid, const char *text)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Said said = METACUBE__SAID__INIT;

	envelope.cid = cid;
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_SAID;
	envelope.said = &said;
	said.text = (char *)text;
	mc_conn_send(conn, &envelope);
}

static void
say_much(struct mc_conn *conn, size_t size)
{
	char *text = mc_zalloc(size + 1);

	memset(text, 'x', size);
	say(conn, 0, text);
	free(text);
}

static void
share_until_full(struct mc_conn *conn)
{
	Metacube__Envelope envelope = METACUBE__ENVELOPE__INIT;
	Metacube__Said said = METACUBE__SAID__INIT;
	struct mc_shared *shared;
	char text[8001];

	memset(text, 'y', 8000);
	text[8000] = '\0';
	envelope.message_case = METACUBE__ENVELOPE__MESSAGE_SAID;
	envelope.said = &said;
	said.text = text;
	shared = mc_shared_new(&envelope);
	while (mc_conn_send_shared(conn, shared))
		;
	mc_shared_unref(&shared);
	rig.seen.resync++;
}

static void
logged_in(struct session *session, const char *name)
{
	if (strcmp(name, "admit") == 0) {
		mc_conn_admit(session->conn);
		mc_conn_admit(session->conn);	/* once is enough */
	}
	if (strncmp(name, "big ", 4) == 0)
		say_much(session->conn, (size_t)atol(name + 4));
	if (strcmp(name, "shared") == 0)
		share_until_full(session->conn);
	if (strcmp(name, "sent") == 0)
		for (int i = 0; i < 1000; i++)
			say_much(session->conn, 8000);
	say(session->conn, 0, name);
	if (strcmp(name, "close") == 0)
		mc_conn_close(session->conn);
}

static void
message(void *owner, const Metacube__Envelope *envelope)
{
	struct session *session = owner;

	rig.seen.messages++;
	if (envelope->message_case == METACUBE__ENVELOPE__MESSAGE_LOGIN) {
		logged_in(session, envelope->login->name);
	} else if (envelope->message_case ==
	    METACUBE__ENVELOPE__MESSAGE_SAY) {
		if (envelope->cid != 0 && envelope->cid <= session->last)
			rig.seen.out_of_order++;
		session->last = envelope->cid;
		say(session->conn, envelope->cid, envelope->say->text);
	} else {
		say(session->conn, envelope->cid, "?");
	}
}

static void
closed(void *owner)
{
	rig.seen.closed++;
	free(owner);
}

static const struct mc_conn_ops ops = { opened, message, closed };

/* The process */

static void
begin(void)
{
	struct process *process = &rig.process;

	memset(&rig, 0, sizeof(rig));
	process->loop = loop_new();
	process->self = instance_new(process, "test", "", NULL, NULL);
	rig.host = process->self;
	process->conf.certificate = strdup(rig_file("server", "pem"));
	process->conf.key = strdup(rig_file("server", "key"));
	process->conf.ca = strdup(rig_file("ca", "pem"));
	process->conf.tls_priority = PRIORITY;
	rig.conf = (struct mc_listen_conf){
		.endpoint = "127.0.0.1:0", .certificate = "", .key = "",
		.max_connections = 1000, .max_per_address = 1000,
		.handshake_ms = RIG_PATIENCE_MS, .login_ms = RIG_PATIENCE_MS,
		.idle_ms = RIG_PATIENCE_MS, .send_ms = RIG_PATIENCE_MS,
		.queue_max = 256 * 1024
	};
	CU_ASSERT_EQUAL_FATAL(identity_load(process), MC_OK);
	process->io = io_start(process, 2);
}

static void
end(void)
{
	struct process *process = &rig.process;

	pump_close(process->self);
	io_stop(&process->io);
	timers_close(process->self);
	CU_ASSERT_EQUAL(rig.seen.opened, rig.seen.closed);
	instance_free(&process->self);
	loop_free(&process->loop);
	free((char *)process->conf.certificate);
	free((char *)process->conf.key);
	free((char *)process->conf.ca);
	process->conf.certificate = process->conf.key = process->conf.ca = "";
	CU_ASSERT_EQUAL(identity_load(process), MC_OK);	/* forgets it */
}

static struct mail over;

static void
stop(struct mail *mail)
{
	(void)mail;
	loop_stop(rig.process.loop);
}

static void *
run_script(void *arg)
{
	void (*script)(void) = *(void (**)(void))arg;

	script();
	over.run = stop;
	loop_post(rig.process.loop, &over);
	return NULL;
}

void
rig_play(void (*script)(void))
{
	pthread_t thread;

	begin();
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, run_script,
	    &script), 0);
	loop_run(rig.process.loop);
	pthread_join(thread, NULL);
	end();
}

struct job {
	struct mail	 mail;
	void		(*run)(void *);
	void		*arg;
	sem_t		 done;
};

static void
run_job(struct mail *mail)
{
	struct job *job = (struct job *)mail;

	job->run(job->arg);
	sem_post(&job->done);
}

void
on_loop(void (*run)(void *), void *arg)
{
	struct job job = { .mail.run = run_job, .run = run, .arg = arg };

	sem_init(&job.done, 0, 0);
	loop_post(rig.process.loop, &job.mail);
	sem_wait(&job.done);
	sem_destroy(&job.done);
}

bool
eventually(bool (*holds)(void *), void *arg)
{
	for (int i = 0; i < RIG_PATIENCE_MS; i++) {
		if (holds(arg))
			return true;
		usleep(1000);
	}
	return false;
}

struct wish {
	atomic_int	*value;
	const char	*name;
	int64_t		 at_least;
};

static bool
is_so(void *arg)
{
	struct wish *wish = arg;

	return (wish->value != NULL ? *wish->value : counter(wish->name)) >=
	    wish->at_least;
}

bool
eventually_is(atomic_int *value, int at_least)
{
	struct wish wish = { value, NULL, at_least };

	return eventually(is_so, &wish);
}

int64_t
counter(const char *name)
{
	return atomic_load(counters_cell(rig.host->counters, name));
}

bool
eventually_counts(const char *name, int64_t at_least)
{
	struct wish wish = { NULL, name, at_least };

	return eventually(is_so, &wish);
}

struct listening {
	const char		*roles;
	struct mc_listener	*listener;
};

static void
do_listen(void *arg)
{
	struct listening *listening = arg;

	listening->listener = mc_listen(rig.host, &rig.conf, listening->roles,
	    &ops, &rig);
}

struct mc_listener *
rig_listen(const char *roles)
{
	struct listening listening = { roles, NULL };

	on_loop(do_listen, &listening);
	return listening.listener;
}

static void
do_relisten(void *arg)
{
	CU_ASSERT_EQUAL(mc_relisten(arg, &rig.conf), MC_OK);
}

void
rig_relisten(struct mc_listener *listener)
{
	on_loop(do_relisten, listener);
}

static void
do_unlisten(void *arg)
{
	mc_unlisten(arg);
}

void
rig_unlisten(struct mc_listener **listener)
{
	on_loop(do_unlisten, listener);
}

const char *
rig_address(struct mc_listener *listener)
{
	return mc_listener_address(listener);
}
