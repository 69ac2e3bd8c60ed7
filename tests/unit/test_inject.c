/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Host name, time zone, files: what is asked for is there afterwards, once. */
#include "tests/unit/inject_util.h"

#define HOSTS "127.0.0.1 localhost\n"
#define ZONE "/usr/share/zoneinfo/Europe/Berlin"

static const struct inject_case cases[] = {
    { .label = "a name under systemd",
      .config = "hostname: db1\n",
      .init = "systemd",
      .hostname = "web",
      .have = { { "/etc/hostname", "web\n" }, { "/etc/hosts", HOSTS "127.0.1.1 web.a.org web\n" } },
      .want = { { "/etc/hostname", "db1\n" }, { "/etc/hosts", HOSTS "127.0.1.1 db1.a.org db1\n" } },
      .n_changes = 2 },
    { .label = "the same name",
      .config = "hostname: web\n",
      .init = "systemd",
      .hostname = "web",
      .have = { { "/etc/hostname", "# mine\nweb\n" },
                { "/etc/hosts", HOSTS "127.0.1.1 web.a.org web\n" } },
      .n_changes = 0 },
    { .label = "a name with a domain",
      .config = "hostname: db1.b.org\n",
      .init = "systemd",
      .hostname = "web",
      .have = { { "/etc/hosts", HOSTS "127.0.1.1 web\n10.0.0.1 web.a.org web webcam\n" } },
      .want = { { "/etc/hostname", "db1.b.org\n" },
                { "/etc/hosts",
                  HOSTS "127.0.1.1 db1.b.org db1\n10.0.0.1 db1.b.org db1 webcam\n" } },
      .n_changes = 2 },
    { .label = "a name that hosts does not have",
      .config = "hostname: db1.b.org\n",
      .init = "systemd",
      .hostname = "localhost.localdomain",
      .have = { { "/etc/hosts", "127.0.0.1 localhost" } },
      .want = { { "/etc/hosts", "127.0.0.1 localhost\n127.0.1.1\tdb1.b.org db1\n" } },
      .n_changes = 2 },
    { .label = "a name of EL 6",
      .config = "hostname: db1\n",
      .init = "upstart",
      .hostname = "web",
      .have = { { "/etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=web\n" } },
      .want = { { "/etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=db1\n" },
                { "/etc/hostname", NULL } },
      .n_changes = 1 },
    { .label = "a name of SLES 11",
      .config = "hostname: db1\n",
      .init = "sysvinit",
      .have = { { "/etc/HOSTNAME", "web.a.org\n" } },
      .want = { { "/etc/HOSTNAME", "db1\n" }, { "/etc/hostname", NULL } },
      .n_changes = 1 },
    { .label = "a name of Gentoo",
      .config = "hostname: db1\n",
      .init = "openrc",
      .have = { { "/etc/conf.d/hostname", "# Set it\nhostname=\"web\"\n" } },
      .want = { { "/etc/conf.d/hostname", "# Set it\nhostname=\"db1\"\n" } },
      .n_changes = 1 },
    { .label = "a zone as a link",
      .config = "timezone: Europe/Berlin\n",
      .have = { { ZONE, "TZif" },
                { "/etc/localtime", "-> ../usr/share/zoneinfo/UTC" },
                { "/etc/timezone", "Etc/UTC\n" } },
      .want = { { "/etc/localtime", "-> .." ZONE }, { "/etc/timezone", "Europe/Berlin\n" } },
      .n_changes = 2 },
    { .label = "a zone as an absolute link",
      .config = "timezone: Europe/Berlin\n",
      .have = { { ZONE, "TZif" }, { "/etc/localtime", "-> /usr/share/zoneinfo/UTC" } },
      .want = { { "/etc/localtime", "-> " ZONE }, { "/etc/timezone", NULL } },
      .n_changes = 1 },
    { .label = "a zone as a copy",
      .config = "timezone: Europe/Berlin\n",
      .have = { { ZONE, "TZif" },
                { "/etc/localtime", "UTC" },
                { "/etc/sysconfig/clock", "ZONE=\"Etc/UTC\"\n" } },
      .want = { { "/etc/localtime", "TZif" },
                { "/etc/sysconfig/clock", "ZONE=\"Europe/Berlin\"\n" } },
      .n_changes = 2 },
    { .label = "a zone where there is none yet",
      .config = "timezone: Europe/Berlin\n",
      .have = { { ZONE, "TZif" }, { "/etc/hostname", "a\n" } },
      .want = { { "/etc/localtime", "-> .." ZONE } },
      .n_changes = 1 },
    { .label = "no such zone",
      .config = "timezone: Europe/Berlin\n",
      .error = "the guest has no time zone Europe/Berlin: " ZONE " is missing" },
    { .label = "files",
      .config = "files:\n"
                "- {path: /etc/motd, text: hello}\n"
                "- {path: /srv/a/b, text: x, mode: 0600}\n"
                "- {path: /srv/c, folder: true, mode: 2770}\n"
                "- {path: /srv/l, link: c}\n"
                "- {path: /etc/old, remove: true}\n"
                "- {path: /etc/mode, mode: 0640}\n",
      .have = { { "/etc/motd", "old\n" }, { "/etc/old", "x" }, { "/etc/mode", "x" } },
      .want = { { "/etc/motd", "hello" },
                { "/srv/a/b", "x" },
                { "/srv/c", "/" },
                { "/srv/l", "-> c" },
                { "/etc/old", NULL } },
      .n_changes = 8 },
    { .label = "a folder that goes",
      .config = "files: [{path: /opt/x, remove: true}, {path: /opt/none, remove: true}]\n",
      .have = { { "/opt/x/a/b", "1" }, { "/opt/x/c", "-> /opt/keep" }, { "/opt/keep/d", "2" } },
      .want = { { "/opt/x", NULL }, { "/opt/keep/d", "2" } },
      .n_changes = 4 },
    { .label = "a folder where a file is to be",
      .config = "files: [{path: /etc/x, text: a}]\n",
      .have = { { "/etc/x", "/" } },
      .error = "/etc/x is no plain file in the guest" },
    { .label = "a file where a folder is to be",
      .config = "files: [{path: /etc/x, folder: true}]\n",
      .have = { { "/etc/x", "a" } },
      .error = "/etc/x is no folder in the guest" },
    { .label = "a link in the place of a folder",
      .config = "files: [{path: /etc/x, link: a}]\n",
      .have = { { "/etc/x", "/" } },
      .error = "/etc/x is a folder, not to be replaced by a link, in the guest" },
    { .label = "the mode of nothing",
      .config = "files: [{path: /etc/x, mode: 0600}]\n",
      .error = "/etc/x is not there in the guest" },
};

static void what_is_asked_for_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        inject_check(&cases[i]);
}

/* Large and binary content; what was there may be larger than any text. */
static void uploads_are_bytes(void **state)
{
    struct fix_opts opts = { 0 };
    struct facts *facts = facts_of_text("");
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct err err = ERR_NONE;
    struct plan *plan = NULL;
    struct tree tree;
    struct stat st;
    char *path, *value;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/host/a",
             "\x7f"
             "ELF",
             0750);
    path = tree_path(&tree, "/opt/big");
    assert_int_equal(io_write_file(path, "", 0, 0644, &err), 0);
    assert_int_equal(truncate(path, 17 << 20), 0);
    value = mem_printf("%s/host/a:/opt/big", tree.dir);
    assert_int_equal(injections_option(&opts.inject, "upload", value, &err), 0);
    assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
    assert_int_equal(plan_apply(plan, &err), 0);
    plan_free(plan);
    tree_expect(&tree, "/opt/big",
                "\x7f"
                "ELF");
    assert_int_equal(guest_stat(tree.root, "/opt/big", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
    for (size_t i = 0; i < plan->n; i++)
        assert_string_not_equal(plan->changes[i].fixer, "inject");
    plan_free(plan);
    injections_done(&opts.inject);
    facts_free(facts);
    free(value);
    free(path);
    tree_close(&tree);
}

/* Asked for and not possible, or forbidden in the same breath. */
static void nothing_is_left_out_in_silence(void **state)
{
    struct fix_opts opts = { 0 };
    struct facts *facts = facts_of_text("");
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct err err = ERR_NONE;
    struct plan *plan = NULL;
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    assert_int_equal(injections_option(&opts.inject, "hostname", "a", &err), 0);
    facts->os = OS_OTHER;
    assert_true(fixers_plan(&ctx, tree.root, &plan, &err) < 0);
    assert_int_equal(err.status, STATUS_NO_OS);
    err_clear(&err);
    facts->os = OS_LINUX;
    strlist_add(&opts.skip, "inject");
    assert_true(fixers_plan(&ctx, tree.root, &plan, &err) < 0);
    assert_int_equal(err.status, STATUS_USAGE);
    strlist_done(&opts.skip);
    injections_done(&opts.inject);
    facts_free(facts);
    tree_close(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_is_there),
        cmocka_unit_test(uploads_are_bytes),
        cmocka_unit_test(nothing_is_left_out_in_silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
