/* info.c: pmem info: what a mapping of a file would be, and why; what persistent memory the machine has */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "info.h"

#include "command.h"

#include <getopt.h>
#include <pmem.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_NOT_EXAMINED = 1 };

static void print_json(struct json_object *all)
{
	puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static int tell_machine(const struct command *self, bool json)
{
	struct json_object *all = json_object_new_object(), *regions = info_regions();

	if (!regions)
		return command_cannot(self, "%s", pmem_errormsg());
	json_object_object_add(all, "processor", info_processor());
	json_object_object_add(all, "regions", regions);
	if (json) {
		print_json(all);
	} else {
		info_print_processor(json_object_object_get(all, "processor"));
		info_print_regions(regions);
	}
	json_object_put(all);
	return EXIT_SUCCESS;
}

/* As text, each path is told when it is known, its error on stderr. */
static int tell_paths(const struct command *self, bool json, char *const paths[])
{
	struct json_object *all = json_object_new_object(), *list = json_object_new_array(), *path;
	int status = EXIT_SUCCESS;

	json_object_object_add(all, "processor", info_processor());
	json_object_object_add(all, "paths", list);
	for (; *paths; paths++) {
		path = info_path(*paths);
		json_object_array_add(list, path);
		if (info_has_error(path)) {
			command_cannot(self, "%s: %s", *paths,
				       json_object_get_string(json_object_object_get(path, "error")));
			status = EXIT_NOT_EXAMINED;
		} else if (!json) {
			info_print_path(path);
		}
	}
	if (json)
		print_json(all);
	json_object_put(all);
	return status;
}

static int run_info(const struct command *self, int argc, char *argv[])
{
	static const struct option long_options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == 'h')
			return command_print_help(self);
		if (option != 'j')
			return command_bad_usage(self, NULL);
		json = true;
	}
	return argv[optind] ? tell_paths(self, json, argv + optind) : tell_machine(self, json);
}

const struct command command_info = {
	.name = "info",
	.summary = "tell what a mapping of a file would be, and why; what persistent memory there is",
	.usage = "usage: pmem info [--json] [PATH...]\n"
		 "  --json  on stdout as JSON, with raw numbers\n"
		 "  PATH    a file, a device-dax, or a directory in which files are made;\n"
		 "          without one, the processor and the machine's NVDIMM regions\n"
		 "Exit status: 1 if a path cannot be examined.\n",
	.run = run_info,
};
