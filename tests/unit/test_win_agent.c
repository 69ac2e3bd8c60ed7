/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's guest agent for Windows: a package that was given, or the one of virtio-win. */
#include "fixers/windows/drivers.h"
#include "fixers/windows/firstboot.h"
#include "tests/unit/win_util.h"

#define FIRSTBOOT "/Windows/h2k/firstboot/"

/* Packages of Windows Installer begin like this. */
static const char msi[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1package";

static struct win_guest guest;
static struct tree source; /* virtio-win */
static struct drivers *drivers;
static struct plan *plan;
static struct err err;

static int setup(void **state)
{
    (void)state;
    win_guest_open(&guest, "[x]\n");
    guest.facts->windows->nt_major = 10;
    guest.facts->windows->build = 19045;
    facts_set(&guest.facts->arch, "x86_64");
    guest.opts.inject.agent.from_repository = true;
    tree_open(&source, NULL);
    tree_put(&source, "/viostor/w10/amd64/viostor.inf", "[Version]\n", 0644);
    tree_put(&source, "/guest-agent/qemu-ga-x86_64.msi", msi, 0644);
    drivers = drivers_new(source.dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    err_clear(&err);
    plan_free(plan);
    plan = NULL;
    drivers_free(drivers);
    injections_done(&guest.opts.inject);
    tree_close(&source);
    win_guest_close(&guest);
    return 0;
}

static int make_plan(struct drivers *from)
{
    const struct fix_context ctx = { .facts = guest.facts, .opts = &guest.opts, .drivers = from };

    plan_free(plan);
    plan = plan_new(guest.tree.root);
    plan->fixer = "test";
    return fixer_win_inject.plan(&ctx, plan, &err);
}

static void refused(struct drivers *from, const char *why)
{
    char text[4 * ERR_TEXT];

    assert_true(make_plan(from) < 0);
    assert_int_equal(err.status, STATUS_USAGE);
    if (!strstr(err_text(&err, text, sizeof(text)), why))
        assert_string_equal(text, why);
    err_clear(&err);
}

static void the_one_of_virtio_win(void **state)
{
    char *text = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(make_plan(drivers), 0);
    assert_true(plan_exists(plan, FIRSTBOOT "scripts/3000-guest-agent.bat"));
    assert_int_equal(plan_read(plan, FIRSTBOOT "guest-agent.msi", &text, &len, &err), 0);
    assert_int_equal(len, sizeof(msi) - 1);
    assert_memory_equal(text, msi, len);
    free(text);
}

static void none_is_installed_unasked(void **state)
{
    (void)state;
    guest.opts.inject.agent.from_repository = false;
    guest.opts.inject.remove_tools = true;
    assert_int_equal(make_plan(drivers), 0);
    assert_true(plan_exists(plan, FIRSTBOOT "scripts/5000-remove-tools.bat"));
    assert_false(plan_exists(plan, FIRSTBOOT "guest-agent.msi"));
}

static void what_to_give_is_said(void **state)
{
    (void)state;
    facts_set(&guest.facts->arch, "i386");
    refused(drivers, "no guest agent for this Windows: there is none in");
    refused(drivers, "give its package with --install-agent");
    facts_set(&guest.facts->arch, "x86_64");
    refused(NULL, "no guest agent for this Windows: ");
    facts_set(&guest.facts->arch, "mips");
    refused(drivers, "for its processor");
}

static void what_is_no_package_is_refused(void **state)
{
    struct inject_agent *agent = &guest.opts.inject.agent;

    (void)state;
    tree_put(&source, "/guest-agent/qemu-ga-x86_64.msi", "a page of the proxy", 0644);
    refused(drivers, "virtio-win: that is no package of Windows Installer");
    agent->from_repository = false;
    agent->file = mem_strdup("qemu-ga.rpm");
    agent->data = mem_strdup("\xed\xab\xee\xdb and more");
    agent->len = strlen(agent->data);
    refused(drivers, "qemu-ga.rpm: that is no package of Windows Installer");
}

static void one_that_is_there_stays(void **state)
{
    (void)state;
    win_put_hive(&guest.tree, WIN_SYSTEM,
                 "[ControlSet001\\Services\\QEMU-GA]\nImagePath=sz:C:\\qemu-ga.exe\n");
    assert_int_equal(make_plan(drivers), 0);
    assert_int_equal(plan->n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_one_of_virtio_win, setup, teardown),
        cmocka_unit_test_setup_teardown(none_is_installed_unasked, setup, teardown),
        cmocka_unit_test_setup_teardown(what_to_give_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_package_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_there_stays, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
