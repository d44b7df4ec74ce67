/* SPDX-License-Identifier: MIT */
/*
 * contract - between the program (contract.c) and the frame (frame.c).
 */
#ifndef TESTS_CONTRACT_CONTRACT_H
#define TESTS_CONTRACT_CONTRACT_H

#include "frame.h"

/* Memory that the processes of all phases share. */
struct contract_shared {
	unsigned	tests, failures;
	unsigned	answers, inside, elsewhere, slots;
	bool		finished;	/* the phase came to its end */
	_Alignas(16) char kept[CONTRACT_KEPT];
};

const struct mc_module *frame_prepare(const struct contract_suite *,
		    const struct contract_phase *, struct contract_shared *);

#endif
