/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts for tests from a few lines:
 *     root /dev/sda1
 *     distro debian            arch x86_64            firmware uefi
 *     device NAME KIND FSTYPE UUID PARTUUID           "-": none
 */
#ifndef H2K_TESTS_UNIT_FACTS_FILE_H
#define H2K_TESTS_UNIT_FACTS_FILE_H

#include <string.h>

#include "engine/base/mem.h"
#include "inspect/facts.h"
#include "inspect/fields.h"
#include "tests/unit/unit.h"

static inline void facts_line(struct facts *facts, char *const *word, size_t n)
{
    assert_true(n >= 2);
    if (strcmp(word[0], "root") == 0)
        facts_set(&facts->root, word[1]);
    else if (strcmp(word[0], "distro") == 0)
        facts_set(&facts->distro, word[1]);
    else if (strcmp(word[0], "arch") == 0)
        facts_set(&facts->arch, word[1]);
    else if (strcmp(word[0], "firmware") == 0)
        facts->firmware = strcmp(word[1], "uefi") == 0 ? FIRMWARE_UEFI : FIRMWARE_BIOS;
    else {
        struct fact_device *device = facts_add_device(facts);
        char **fields[] = { &device->name, &device->kind, &device->fstype, &device->uuid,
                            &device->part_uuid };

        assert_string_equal(word[0], "device");
        assert_int_equal(n, 6);
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
            facts_set(fields[i], strcmp(word[i + 1], "-") == 0 ? "" : word[i + 1]);
    }
}

static inline struct facts *facts_of_text(const char *text)
{
    struct facts *facts = facts_new();
    struct span line, field[6];
    size_t pos = 0;

    facts->os = OS_LINUX;
    while (line_next(text, strlen(text), &pos, &line)) {
        size_t n = fields_split(text, &line, field, ARRAY_SIZE(field));
        char *word[ARRAY_SIZE(field)];

        for (size_t i = 0; i < n; i++)
            word[i] = span_dup(text, field[i]);
        if (n > 0)
            facts_line(facts, word, n);
        for (size_t i = 0; i < n; i++)
            free(word[i]);
    }
    return facts;
}

#endif
