/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's own names of what its encrypted volumes hold. */
#include <string.h>

#include "engine/base/mem.h"
#include "inspect/facts.h"
#include "inspect/linux.h"
#include "tests/unit/tree.h"

static struct tree tree;

static int setup(void **state)
{
    (void)state;
    tree_open(&tree, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tree_close(&tree);
    return 0;
}

static void add(struct facts *facts, const char *name, const char *kind, const char *uuid,
                const char *decrypts)
{
    struct fact_device *device = facts_add_device(facts);

    facts_set(&device->name, name);
    facts_set(&device->kind, kind);
    facts_set(&device->uuid, uuid);
    facts_set(&device->decrypts, decrypts);
}

static void crypttab_names_what_is_decrypted(void **state)
{
    static const struct {
        const char *spec, *device; /* NULL: not known */
    } cases[] = {
        { "/dev/mapper/cryptroot", "/dev/mapper/luks-1-1" },
        { "/dev/disk/by-id/dm-name-cryptroot", "/dev/mapper/luks-1-1" },
        { "/dev/mapper/luks-1-1", "/dev/mapper/luks-1-1" },
        { "/dev/mapper/data_crypt", "/dev/mapper/luks-2-2" },
        { "/dev/mapper/inner", "/dev/mapper/luks-3-3" },
        { "/dev/mapper/swap", NULL },
        { "/dev/mapper/locked", NULL },
        { "/dev/mapper/vg-home", "/dev/vg/home" },
    };
    struct facts *facts = facts_new();

    (void)state;
    add(facts, "/dev/sda", "disk", "", "");
    add(facts, "/dev/sda2", "partition", "1-1", "");
    add(facts, "/dev/sda3", "partition", "2-2", "");
    add(facts, "/dev/sda5", "partition", "5-5", "");
    add(facts, "/dev/mapper/luks-1-1", "crypt", "a-a", "/dev/sda2");
    add(facts, "/dev/mapper/luks-2-2", "crypt", "3-3", "/dev/sda3");
    add(facts, "/dev/mapper/luks-3-3", "crypt", "b-b", "/dev/mapper/luks-2-2");
    add(facts, "/dev/vg/home", "lv", "c-c", "");
    tree_put(&tree, "/etc/crypttab",
             "# name device key\n"
             "cryptroot UUID=1-1 none luks\n"
             "data_crypt /dev/sda3 /key luks\n"
             "inner /dev/mapper/data_crypt none\n"
             "swap /dev/sda4 /dev/urandom swap\n"
             "locked UUID=5-5 none\n",
             0644);
    tree_put(&tree, "/etc/fstab", "/dev/mapper/cryptroot / ext4 defaults 0 1\n", 0644);
    linux_mounts(tree.root, facts);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct fact_device *found = facts_resolve(facts, cases[i].spec);

        print_message("case: %s\n", cases[i].spec);
        assert_string_equal(found ? found->name : "-", cases[i].device ? cases[i].device : "-");
    }
    assert_int_equal(facts->n_mounts, 1);
    assert_string_equal(facts->mounts[0].device->name, "/dev/mapper/luks-1-1");
    facts_free(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crypttab_names_what_is_decrypted),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
