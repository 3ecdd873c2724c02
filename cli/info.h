/* info.h: pmem info: found out as JSON, told as text */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_INFO_H
#define PMEM_INFO_H

#include <json-c/json.h>
#include <stdbool.h>

/*
 * Each adds to what is known, in the form that --json prints: numbers raw, and
 * null where something is not known. They end the program if there is no memory.
 */

/* {"flush": ..., "copy": ...} */
struct json_object *info_processor(void);

/* An array of the machine's NVDIMM regions. NULL with a message in pmem_errormsg(). */
struct json_object *info_regions(void);

/* {"path": ..., and what is known of it}; or "error" in it, where it cannot be examined. */
struct json_object *info_path(const char *path);
bool info_has_error(struct json_object *path);

/* Adds "dimms" to a region: the health of its NVDIMMs, where libndctl is there and they tell. */
void info_add_health(struct json_object *region);

/* For people, on stdout. */
void info_print_processor(struct json_object *processor);
void info_print_regions(struct json_object *regions);
void info_print_path(struct json_object *path);

#endif
