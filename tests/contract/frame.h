/* SPDX-License-Identifier: MIT */
/*
 * frame - how a suite asks a service, and how it says what it found.
 *
 * A suite checks the promises in a service's header, one after the other, on
 * a provider that runs in a real process: real configuration, real loader,
 * real loop.  It is plain sequential code on a thread of its own; what it
 * asks is asked on the loop.  The frame itself checks, for every question,
 * what metacube/call.h promises about answers.
 *
 * A suite has phases.  Each runs in a new process over the same files; the
 * one before was stopped in order or, if it says so, by SIGKILL.
 */
#ifndef TESTS_CONTRACT_FRAME_H
#define TESTS_CONTRACT_FRAME_H

#include <metacube/call.h>
#include <metacube/host.h>

#include <pthread.h>

#define CONTRACT_ALSO_MAX	3

struct contract_phase {
	const char	*name;
	void		(*run)(void);
	bool		 killed;	/* ends with SIGKILL */
};

struct contract_suite {
	const char	*service;
	uint16_t	 major, minor;
	/* Other services that the suite asks; optional ones may be absent. */
	struct {
		const char	*service;
		uint16_t	 major, minor;
		bool		 optional;
	} also[CONTRACT_ALSO_MAX];
	const struct contract_phase *phases;	/* end with a zero entry */
};

extern const struct contract_suite contract_account;
extern const struct contract_suite contract_auth;
extern const struct contract_suite contract_freeze;
extern const struct contract_suite contract_mail;
extern const struct contract_suite contract_mirror;
extern const struct contract_suite contract_replica;
extern const struct contract_suite contract_replicas;
extern const struct contract_suite contract_taskmaster;
extern const struct contract_suite contract_tcapw;
extern const struct contract_suite contract_wmq;
extern const struct contract_suite contract_wmqfile;

/* "ok" or "not ok": one promise, and whether it was kept.  Returns kept. */
bool	promise(bool kept, const char *, ...) MC_PRINTF(2, 3);
/* A line beside it, for people. */
void	note(const char *, ...) MC_PRINTF(1, 2);

/* Memory for what one phase leaves for the next; zeroed, CONTRACT_KEPT bytes. */
#define CONTRACT_KEPT	4096
void	*contract_kept(void);

/* 0: the service under test; 1..: those in also.  ops NULL: absent. */
const struct mc_ref *contract_ref(unsigned n);

/* Puts the question: called on the loop thread, must make one call with these
 * three arguments (auth_begin(contract_ref(0), args, slot, done, owner)). */
typedef void ask_fn(void *args, struct mc_call **slot, mc_done_fn *done,
    void *owner);

/* A question under way.  Starts zeroed; lives until it was waited for. */
struct asked {
	ask_fn		*ask;
	void		*args;		/* valid until it was waited for */
	struct mc_call	*slot;
	pthread_cond_t	 changed;
	bool		 asking, answered, cancelled;
	enum mc_status	 status;
	size_t		 len;
	void		*data;		/* freed by ask_free */
};

void	ask_start(struct asked *, ask_fn *, void *args);
void	ask_wait(struct asked *);		/* answered or cancelled */
bool	ask_is_answered(struct asked *);	/* without waiting */
void	ask_cancel(struct asked *);		/* then wait, and free */
void	ask_free(struct asked *);

/* The whole of it, for a result of exactly this size (result may be NULL):
 * an MC_OK with anything else is a broken promise. */
enum mc_status ask(ask_fn *, void *args, void *result, size_t size);

/* Runs something else on the loop thread, and waits until it has. */
void	on_loop(void (*run)(void *), void *arg);

#endif
