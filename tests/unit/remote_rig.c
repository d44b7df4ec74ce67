/* SPDX-License-Identifier: MIT */
#include "remote_rig.h"

#include <stdlib.h>
#include <string.h>

struct mc_ref service;

static void *conf, *remote;

static void
field_set(const char *name, const void *value, size_t size)
{
	const struct mc_key *key = metacube_module.keys;

	while (strcmp(key->name, name) != 0)
		key++;
	memcpy((char *)conf + key->offset, value, size);
}

void
remote_set(const char *key, int64_t number)
{
	field_set(key, &number, sizeof(number));
}

void
remote_make(const char *connect)
{
	stage_reset("gateway");
	conf = mc_zalloc(metacube_module.conf_size);
	remote = mc_zalloc(metacube_module.state_size);
	field_set("connect", &connect, sizeof(connect));
	remote_set("max_pending", 3);
	service.provider = remote;
	service.ops = metacube_module.provides[0].ops;
}

void
remote_need(const void *ops)
{
	struct mc_ref ref = { .ops = ops };

	memcpy((char *)remote + metacube_module.needs[0].offset, &ref,
	    sizeof(ref));
}

void
remote_start(void)
{
	CU_ASSERT_EQUAL_FATAL(metacube_module.init(remote, stage_host(),
	    conf), MC_OK);
	CU_ASSERT_EQUAL_FATAL(metacube_module.start(remote), MC_OK);
}

void
remote_move(const char *connect)
{
	void *before = conf;

	conf = mc_zalloc(metacube_module.conf_size);
	memcpy(conf, before, metacube_module.conf_size);
	field_set("connect", &connect, sizeof(connect));
	CU_ASSERT_EQUAL(metacube_module.reload(remote, conf), MC_OK);
	free(before);
}

void
remote_stop(void)
{
	metacube_module.stop(remote);
	stage_pass(0);
}

void
remote_end(void)
{
	CU_ASSERT_EQUAL(stage_owed(), 0);
	CU_ASSERT_EQUAL(stage_count("pending"), 0);
	free(remote);
	free(conf);
	stage_reset("");
}
