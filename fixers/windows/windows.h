/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fixers for Windows guests. */
#ifndef H2K_FIXERS_WINDOWS_WINDOWS_H
#define H2K_FIXERS_WINDOWS_WINDOWS_H

#include "fixers/fixer.h"

extern const struct fixer fixer_win_boot;
extern const struct fixer fixer_win_devices;
extern const struct fixer fixer_win_registry;
extern const struct fixer fixer_win_settings;
extern const struct fixer fixer_win_storage;
extern const struct fixer fixer_win_tools;

#endif
