/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mdadm.conf, and the names of arrays. */
#include <string.h>

#include "inspect/facts.h"
#include "inspect/mdadm_conf.h"
#include "tests/unit/unit.h"

static void reads_arrays(void **state)
{
    static const char text[] =
        "# mdadm.conf\n"
        "DEVICE partitions\n"
        "CREATE owner=root group=disk mode=0660 auto=yes\n"
        "HOMEHOST <system>\n"
        "ARRAY /dev/md/root  metadata=1.2 UUID=3aaa0122:29827cfa:5331AD66:ca767371 name=vm:root\n"
        "arr md3 level=raid1\n"
        "    name=\"vm:data\" # not this\n"
        "\tUUID=00000000-1111-2222-3333-444444444444\n"
        "ARRAY <ignore> UUID=99999999:99999999:99999999:99999999\n"
        "MAILADDR root\n"
        "    UUID=77777777:77777777:77777777:77777777\n"
        "ARRAYS /dev/md9";
    struct mdadm_conf conf;

    (void)state;
    mdadm_conf_parse(text, strlen(text), &conf);
    assert_int_equal(conf.n, 3);
    assert_string_equal(conf.arrays[0].device, "/dev/md/root");
    assert_string_equal(conf.arrays[0].uuid, "3aaa012229827cfa5331ad66ca767371");
    assert_string_equal(conf.arrays[0].name, "vm:root");
    assert_string_equal(conf.arrays[1].device, "/dev/md3");
    assert_string_equal(conf.arrays[1].uuid, "00000000111122223333444444444444");
    assert_string_equal(conf.arrays[1].name, "vm:data");
    assert_string_equal(conf.arrays[2].device, "");
    mdadm_conf_done(&conf);
}

static void add(struct facts *facts, const char *name, const char *kind, const char *uuid,
                const char *array)
{
    struct fact_device *device = facts_add_device(facts);

    facts_set(&device->name, name);
    facts_set(&device->kind, kind);
    facts_set(&device->array_uuid, uuid);
    facts_set(&device->array_name, array);
}

static const struct {
    const char *spec, *one, *two; /* with one array and with two; NULL: not known */
} cases[] = {
    { "/dev/md/root", "/dev/md/root", "/dev/md/root" },
    { "/dev/md0", "/dev/md/root", "/dev/md/root" }, /* mdadm.conf */
    { "/dev/md/0", "/dev/md/root", "/dev/md/root" },
    { "/dev/md127", "/dev/md/root", NULL },
    { "/dev/md5", NULL, "/dev/md5" },
    { "/dev/md/5", NULL, "/dev/md5" },
    { "/dev/md5p1", NULL, "/dev/md5p1" },
    { "/dev/md/5p1", NULL, "/dev/md5p1" },
    { "/dev/md/root1", "/dev/md/root1", "/dev/md/root1" },
    { "/dev/md0p1", "/dev/md/root1", "/dev/md/root1" },
    { "/dev/md0p2", NULL, NULL },
    { "/dev/disk/by-id/md-uuid-3aaa0122:29827cfa:5331ad66:ca767371", "/dev/md/root",
      "/dev/md/root" },
    { "/dev/disk/by-id/md-uuid-3aaa0122:29827cfa:5331ad66:ca767371-part1", "/dev/md/root1",
      "/dev/md/root1" },
    { "/dev/disk/by-id/md-name-vm:root", "/dev/md/root", "/dev/md/root" },
    { "/dev/disk/by-id/md-name-vm:5", NULL, "/dev/md5" },
    { "/dev/disk/by-id/md-name-", NULL, NULL },
    { "/dev/md", NULL, NULL },
    { "/dev/mdp1", NULL, NULL },
    { "/dev/md/", NULL, NULL },
};

static struct facts *guest(bool two)
{
    struct facts *facts = facts_new();
    struct fact_alias *alias;

    add(facts, "/dev/sda", "disk", "", "");
    add(facts, "/dev/md/root", "md", "3aaa0122-2982-7cfa-5331-ad66ca767371", "vm:root");
    add(facts, "/dev/md/root1", "partition", "", "");
    if (two) {
        add(facts, "/dev/md5", "md", "00000000-1111-2222-3333-444444444444", "vm:5");
        add(facts, "/dev/md5p1", "partition", "", "");
    }
    alias = facts_add_alias(facts);
    facts_set(&alias->name, "/dev/md0");
    facts_set(&alias->device, "/dev/md/root");
    return facts;
}

static void resolves_arrays(void **state)
{
    struct facts *one = guest(false), *two = guest(true);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct fact_device *found[] = { facts_resolve(one, cases[i].spec),
                                              facts_resolve(two, cases[i].spec) };
        const char *want[] = { cases[i].one, cases[i].two };

        for (size_t g = 0; g < 2; g++) {
            print_message("case: %s, %zu\n", cases[i].spec, g + 1);
            assert_string_equal(found[g] ? found[g]->name : "-", want[g] ? want[g] : "-");
        }
    }
    facts_free(one);
    facts_free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_arrays),
        cmocka_unit_test(resolves_arrays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
