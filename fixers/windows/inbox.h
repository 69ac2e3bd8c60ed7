/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drivers of disk controllers that Windows brings itself. */
#ifndef H2K_FIXERS_WINDOWS_INBOX_H
#define H2K_FIXERS_WINDOWS_INBOX_H

#include "fixers/windows/target.h"

/*
 * Let those that KVM's controllers need start with the system again. Windows parks what the
 * hardware that it ran on did not need: from 8 on in Services\NAME\StartOverride, by number of the
 * hardware configuration; before that by another Start.
 */
void inbox_unpark(struct plan *plan, const struct fact_windows *windows);

#endif
