/* SPDX-License-Identifier: MIT */
/*
 * metacube/auth.h - is this user who they say they are?  Service "auth" 1.0.
 *
 * An exchange: begin, and as many steps as the mechanism needs.  The one who
 * asks passes on what the provider says and what the client answers, and
 * understands neither.
 */
#ifndef METACUBE_AUTH_H
#define METACUBE_AUTH_H

#include <metacube/call.h>
#include <metacube/name.h>

#define AUTH_SERVICE		"auth", 1, 0
#define AUTH_PROVIDE(ops) \
	{ AUTH_SERVICE, 1 ? (ops) : (const struct auth_ops *)0 }
#define AUTH_TIMEOUT_MS		30000
#define AUTH_DATA_MAX		512

struct auth_begin {
	char		mechanism[32];	/* "password" */
	char		name[64];	/* as typed: not folded, not checked */
	char		address[64];	/* where the client is, without port */
	size_t		len;
	uint8_t		data[AUTH_DATA_MAX]; /* the proof; wiped by the provider */
};

enum auth_state {
	AUTH_GRANTED = 1,	/* it is that user */
	AUTH_CONTINUE,		/* data is for the client; step with its answer */
	AUTH_QUEUED,		/* position is ahead; step (no data) to go on
				 * waiting: that answers when there is news */
	AUTH_LATER,		/* too many failures: not looked at; try again
				 * after retry_ms */
	AUTH_LOCKED,		/* it is that user, and the account is locked */
	AUTH_INACTIVE		/* or was never activated */
};

/* MC_DENIED instead: unknown name or wrong proof, the same answer after the
 * same time.  MC_BUSY: the queue is full. */
struct auth_result {
	enum auth_state	state;
	uint32_t	position;	/* QUEUED: 1 is next */
	uint32_t	retry_ms;	/* LATER */
	uint64_t	exchange;	/* QUEUED, CONTINUE: for step and drop */
	uint64_t	uid;		/* GRANTED, LOCKED */
	uint64_t	generation;	/* of its sessions: see tcapw.h */
	char		name[MC_NAME_SIZE];
	char		display[MC_NAME_SIZE];
	size_t		len;
	uint8_t		data[AUTH_DATA_MAX];
};

struct auth_ops {
	/* begin is the caller's; the provider copies what it keeps and wipes
	 * the caller's data before it returns. */
	void (*begin)(void *state, struct auth_begin *, struct mc_call *);
	void (*step)(void *state, uint64_t exchange, uint8_t *data, size_t len,
	    struct mc_call *);
	/* The client is gone: no answer, the exchange is forgotten. */
	void (*drop)(void *state, uint64_t exchange);
};

static inline void
auth_begin(const struct mc_ref *to, struct auth_begin *begin,
    struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"auth.begin", AUTH_TIMEOUT_MS, false
	};
	const struct auth_ops *ops = (const struct auth_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->begin(to->provider, begin, call);
}

static inline void
auth_step(const struct mc_ref *to, uint64_t exchange, uint8_t *data,
    size_t len, struct mc_call **slot, mc_done_fn *done, void *owner)
{
	static const struct mc_op op = {
		"auth.step", AUTH_TIMEOUT_MS, false
	};
	const struct auth_ops *ops = (const struct auth_ops *)to->ops;
	struct mc_call *call = mc_call_new(to, &op, slot, done, owner);

	if (call != NULL)
		ops->step(to->provider, exchange, data, len, call);
}

static inline void
auth_drop(const struct mc_ref *to, uint64_t exchange)
{
	((const struct auth_ops *)to->ops)->drop(to->provider, exchange);
}

#endif
