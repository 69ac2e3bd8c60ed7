/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

int main(void)
{
    return STATUS_USAGE;
}
