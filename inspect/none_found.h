/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why no system was found though everything that can be mounted was looked at. */
#ifndef H2K_INSPECT_NONE_FOUND_H
#define H2K_INSPECT_NONE_FOUND_H

#include "storage/volume.h"

/* Always an error: the status of the gravest reason, STATUS_NO_OS when there is none. The text
 * names the volumes that may hold a system. */
int inspect_say_none(const struct stack *stack, struct err *err);

#endif
