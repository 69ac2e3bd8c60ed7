/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every cmocka test includes. Do not use CLEANUP_* in tests: a failed assertion leaves with
 * longjmp, which runs no cleanup handler. */
#ifndef H2K_TESTS_UNIT_H
#define H2K_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/cleanup.h"
#include "engine/base/err.h"

#endif
