/* SPDX-License-Identifier: MIT */
/*
 * audit - the audit log, as its writer and its readers know it.
 */
#ifndef ACCTSERV_AUDIT_H
#define ACCTSERV_AUDIT_H

#include "acctserv.h"

#include <metacube/proto/audit.pb-c.h>
#include <metacube/queue.h>

#define AUDIT_TAG	"adt"
#define REFUSALS_MAX	64

struct refusal {
	uint64_t	 time_ms, uid;
	enum mc_status	 status;
	const char	*what;
	char		 by[TCAPW_BY_SIZE];
};

struct audit {
	struct queue		*queue;		/* the instance's thread */
	struct wmq_pointer	 at;		/* the loop: read up to here */
	bool			 placed;	/* the queue agrees with that */
	struct refusal		 refusals[REFUSALS_MAX];  /* to be written */
	size_t			 nrefusals;
	struct mc_call		*call;
	struct mc_timer		*timer;
};

/* The instance's thread: all entries after that number.  visit gets what can
 * be decoded. */
typedef void audit_visit_fn(void *arg, const struct wmq_record *,
	    const Metacube__Audit *);
enum queue_result audit_each(struct queue *, uint64_t after,
	    audit_visit_fn *, void *arg);

#endif
