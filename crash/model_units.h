/* model_units.h: the units of a model, for model.c alone */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_MODEL_UNITS_H
#define PMEM_CRASH_MODEL_UNITS_H

#include "model.h"

uint64_t units_mix(uint64_t hash, uint64_t word);

/* NULL if the program has not stored there. */
struct model_unit *units_find(const struct model *model, uint32_t pool, uint64_t offset);

/* NULL without memory. */
struct model_unit *units_add(struct model *model, uint32_t pool, uint64_t offset);

/* More buckets, or the first. False without memory. */
bool units_grow(struct model *model);

/* In and out of the list of those with open stores; opening twice is allowed. */
bool units_open(struct model *model, struct model_unit *unit);
void units_close(struct model *model, struct model_unit *unit);

/* The unit's base has changed. */
bool units_note_change(struct model *model, struct model_unit *unit);

void units_apply(const struct model_op *op, unsigned char *bytes);

#endif
