/* result.c: gives back what an exploration found */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "result.h"

#include "image.h"

#include <stdlib.h>

void place_free(struct place *place)
{
	free(place->file);
	free(place->function);
	free(place->seen_file);
	*place = (struct place){0};
}

void finding_free(struct finding *finding)
{
	place_free(&finding->cut);
	place_free(&finding->store);
	place_free(&finding->other);
	place_free(&finding->after);
	place_free(&finding->flush);
	place_free(&finding->fence);
	free(finding->units);
	free(finding->sentence);
	free(finding->advice);
	free(finding->output);
	free(finding->promised);
	image_free(finding->image);
}

void result_free(struct result *result)
{
	for (size_t i = 0; i < result->finding_count; i++)
		finding_free(&result->findings[i]);
	for (size_t i = 0; i < result->hint_count; i++) {
		place_free(&result->hints[i].place);
		free(result->hints[i].text);
	}
	free(result->findings);
	free(result->hints);
	*result = (struct result){0};
}
