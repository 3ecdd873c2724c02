/* health.c: the health of NVDIMMs, which only libndctl knows how to ask for */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "info.h"

#include <ndctl/libndctl.h>
#include <string.h>

static const char *health_text(unsigned health)
{
	if (health & ND_SMART_FATAL_HEALTH)
		return "fatal";
	if (health & ND_SMART_CRITICAL_HEALTH)
		return "critical";
	return health & ND_SMART_NON_CRITICAL_HEALTH ? "non-critical" : "ok";
}

static void add_answers(struct json_object *dimm, struct ndctl_cmd *answer)
{
	const unsigned valid = ndctl_cmd_smart_get_flags(answer);

	if (valid & ND_SMART_HEALTH_VALID)
		json_object_object_add(dimm, "health",
				       json_object_new_string(health_text(ndctl_cmd_smart_get_health(answer))));
	if (valid & ND_SMART_USED_VALID)
		json_object_object_add(dimm, "life_used_percent",
				       json_object_new_int64(ndctl_cmd_smart_get_life_used(answer)));
	if (valid & ND_SMART_SHUTDOWN_COUNT_VALID)
		json_object_object_add(dimm, "unsafe_shutdowns",
				       json_object_new_int64(ndctl_cmd_smart_get_shutdown_count(answer)));
}

/* Adds nothing of an NVDIMM that has no such command, or does not let us ask: that is root's. */
static void add_dimm(struct json_object *dimms, struct ndctl_dimm *dimm)
{
	struct ndctl_cmd *command = ndctl_dimm_cmd_new_smart(dimm);
	struct json_object *one;

	if (!command)
		return;
	if (ndctl_cmd_submit_xlat(command) >= 0) {
		one = json_object_new_object();
		json_object_object_add(one, "name", json_object_new_string(ndctl_dimm_get_devname(dimm)));
		add_answers(one, command);
		json_object_array_add(dimms, one);
	}
	ndctl_cmd_unref(command);
}

static struct ndctl_region *find_region(struct ndctl_ctx *context, const char *name)
{
	for (struct ndctl_bus *bus = ndctl_bus_get_first(context); bus; bus = ndctl_bus_get_next(bus)) {
		struct ndctl_region *region = ndctl_region_get_first(bus);

		for (; region; region = ndctl_region_get_next(region)) {
			if (strcmp(ndctl_region_get_devname(region), name) == 0)
				return region;
		}
	}
	return NULL;
}

static void add_dimms(struct json_object *dimms, struct ndctl_region *region)
{
	struct ndctl_dimm *dimm = ndctl_region_get_first_dimm(region);

	for (; dimm; dimm = ndctl_region_get_next_dimm(region, dimm))
		add_dimm(dimms, dimm);
}

void info_add_health(struct json_object *region)
{
	struct ndctl_region *found;
	struct json_object *dimms;
	struct ndctl_ctx *context;

	if (ndctl_new(&context) < 0)
		return;
	dimms = json_object_new_array();
	found = find_region(context, json_object_get_string(json_object_object_get(region, "name")));
	if (found)
		add_dimms(dimms, found);
	ndctl_unref(context);
	if (json_object_array_length(dimms) > 0)
		json_object_object_add(region, "dimms", dimms);
	else
		json_object_put(dimms);
}
