/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts for tests from a few lines:
 *     root /dev/sda1
 *     distro debian            arch x86_64            firmware uefi
 *     device NAME KIND FSTYPE UUID PARTUUID           "-": none
 * or, as tests/data/guests has them:
 *     NAME KIND FSTYPE UUID LABEL PARTITION-TYPE
 */
#ifndef H2K_TESTS_UNIT_FACTS_FILE_H
#define H2K_TESTS_UNIT_FACTS_FILE_H

#include <string.h>

#include "engine/base/mem.h"
#include "inspect/facts.h"
#include "inspect/fields.h"
#include "tests/unit/unit.h"

static inline void facts_add(struct facts *facts, char *const *word)
{
    struct fact_device *device = facts_add_device(facts);
    char **fields[] = { &device->name, &device->kind, &device->fstype, &device->uuid };

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        facts_set(fields[i], strcmp(word[i], "-") == 0 ? "" : word[i]);
}

static inline void facts_line(struct facts *facts, char *const *word, size_t n, int devices)
{
    struct fact_device *device;

    assert_true(n >= 2);
    if (strcmp(word[0], "root") == 0)
        facts_set(&facts->root, word[1]);
    else if (strcmp(word[0], "distro") == 0)
        facts_set(&facts->distro, word[1]);
    else if (strcmp(word[0], "arch") == 0)
        facts_set(&facts->arch, word[1]);
    else if (strcmp(word[0], "package") == 0)
        facts_set(&facts_add_package(facts)->name, word[1]);
    else if (strcmp(word[0], "firmware") == 0)
        facts->firmware = strcmp(word[1], "uefi") == 0 ? FIRMWARE_UEFI : FIRMWARE_BIOS;
    else if (devices) {
        int tagged = strcmp(word[0], "device") == 0;

        assert_int_equal(n, 6);
        facts_add(facts, word + tagged);
        device = &facts->devices[facts->n_devices - 1];
        facts_set(tagged ? &device->part_uuid : &device->label,
                  strcmp(word[4 + tagged], "-") == 0 ? "" : word[4 + tagged]);
        if (!tagged)
            facts_set(&device->part_type, strcmp(word[5], "-") == 0 ? "" : word[5]);
    }
}

static inline void facts_read(struct facts *facts, const char *text, int devices)
{
    struct span line, field[6];
    size_t pos = 0;

    while (line_next(text, strlen(text), &pos, &line)) {
        size_t n = fields_split(text, &line, field, ARRAY_SIZE(field));
        char *word[ARRAY_SIZE(field)];

        for (size_t i = 0; i < n; i++)
            word[i] = span_dup(text, field[i]);
        if (n > 0)
            facts_line(facts, word, n, devices);
        for (size_t i = 0; i < n; i++)
            free(word[i]);
    }
}

/* Set what the text says besides devices. */
static inline void facts_say(struct facts *facts, const char *text)
{
    facts_read(facts, text, 0);
}

static inline struct facts *facts_of_text(const char *text)
{
    struct facts *facts = facts_new();

    facts->os = OS_LINUX;
    facts_set(&facts->root, "/dev/sda1");
    facts_read(facts, text, 1);
    return facts;
}

#endif
