/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths as Windows' registry has them. */
#ifndef H2K_FIXERS_WINDOWS_PATHS_H
#define H2K_FIXERS_WINDOWS_PATHS_H

#include "inspect/facts.h"

/*
 * The guest's path of a driver's file: @image is the ImagePath of its service @name, NULL when it
 * has none. NULL when it is on another volume, or in a form that is not known. Free it.
 */
char *win_image_path(const struct facts *facts, const char *image, const char *name);

#endif
