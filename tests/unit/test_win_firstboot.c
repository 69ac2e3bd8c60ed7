/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is laid down for the first start of Windows, by version and processor. */
#include <string.h>

#include "fixers/apply.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/embedded.h"
#include "fixers/windows/firstboot.h"
#include "inspect/windows/facts.h"
#include "tests/unit/hive_util.h"
#include "tests/unit/win_scripts.h"

#define SYSTEM "/Windows/System32/config/SYSTEM"
#define SOFTWARE "/Windows/System32/config/SOFTWARE"
#define SCRIPTS_FOLDER "/Windows/h2k/firstboot/scripts"
#define PNP "ControlSet001\\Services\\PlugPlay"

static struct tree tree;
static struct facts *facts;
static struct fix_opts opts;
static struct plan *plan;

static void put_hive(const char *path, const struct hive_util_item *items, size_t n)
{
    struct strbuf bytes = { 0 };

    hive_util_make(items, n, &bytes);
    tree_put_bytes(&tree, path, bytes.data, bytes.len, 0644);
    strbuf_done(&bytes);
}

static int setup(void **state)
{
    static const struct hive_util_item system[] = {
        { "Select", "Current", REG_DWORD, NULL, 1 },
        { PNP, "Start", REG_DWORD, NULL, 2 },
        { "ControlSet002\\Services\\PlugPlay\\Parameters", "SuppressUI", REG_DWORD, NULL, 1 },
    };
    static const struct hive_util_item software[] = {
        { "Microsoft", "x", REG_DWORD, NULL, 1 },
        { "Microsoft\\Driver Signing", "Policy", REG_BINARY, "\1", 1 },
    };

    (void)state;
    tree_open(&tree, NULL);
    put_hive(SYSTEM, system, ARRAY_SIZE(system));
    put_hive(SOFTWARE, software, ARRAY_SIZE(software));
    opts = (struct fix_opts){ 0 };
    facts = facts_new();
    facts->os = OS_WINDOWS;
    facts->windows = fact_windows_new();
    facts_set(&facts->windows->system_root, "/Windows");
    facts_set(&facts->windows->system_hive, SYSTEM);
    facts_set(&facts->windows->software_hive, SOFTWARE);
    strlist_add(&facts->windows->control_sets, "ControlSet001");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    plan_free(plan);
    plan = NULL;
    free(opts.nics);
    injections_done(&opts.inject);
    facts_free(facts);
    tree_close(&tree);
    return 0;
}

static void is_nt(uint32_t major, uint32_t minor, uint32_t build, const char *arch)
{
    facts->windows->nt_major = major;
    facts->windows->nt_minor = minor;
    facts->windows->build = build;
    facts_set(&facts->arch, arch);
}

/* Plan anew; with @drivers some are laid down before. */
static int make_plan(bool drivers, struct err *err)
{
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    int r;

    plan_free(plan);
    plan = plan_new(tree.root);
    plan->fixer = "test";
    if (drivers)
        plan_write_new(plan, "/Windows/Drivers/VirtIO/netkvm.inf", "[Version]\n", 0644, "driver");
    r = fixer_win_inject.plan(&ctx, plan, err);
    if (r == 0)
        r = fixer_win_network.plan(&ctx, plan, err);
    if (r == 0)
        r = fixer_win_firstboot.plan(&ctx, plan, err);
    assert_int_equal(plan->err.code, 0);
    return r;
}

static void add_data(const struct hive_value *value, struct strbuf *ret)
{
    struct strlist list = { 0 };
    uint32_t number = 0;

    if (hive_value_u32(value, &number))
        strbuf_printf(ret, "%u", number);
    else if (hive_value_list(value, &list))
        for (size_t i = 0; i < list.n; i++)
            strbuf_printf(ret, "%s%s", i ? " | " : "", list.items[i]);
    strlist_done(&list);
}

static char *lines_of_plan(void)
{
    struct strbuf text = { 0 };

    for (size_t i = 0; i < plan->n; i++) {
        const struct change *change = &plan->changes[i];

        strbuf_printf(&text, "%s %s", change_name(change), change->path);
        if (change->edit) {
            strbuf_printf(&text, " %s %s=", change->edit->key, change->edit->value.name);
            add_data(&change->edit->value, &text);
        }
        strbuf_putc(&text, '\n');
    }
    return strbuf_take(&text);
}

/* The plan is these lines, and after it nothing is left to do. */
static void expect_plan(bool drivers, const char *want)
{
    struct err err = ERR_NONE;
    char *got;

    assert_int_equal(make_plan(drivers, &err), 0);
    got = lines_of_plan();
    assert_string_equal(got, want);
    free(got);
    assert_int_equal(plan_apply(plan, &err), 0);
    assert_int_equal(make_plan(drivers, &err), 0);
    assert_int_equal(plan->n, 0);
}

#define FOLDERS "mkdir /Windows/Drivers/VirtIO\n"
#define SERVICE "set-value " SYSTEM " ControlSet001\\Services\\h2k-firstboot"
#define NUMBERS                                                                                    \
    SERVICE " Type=16\n" SERVICE " Start=2\n" SERVICE " ErrorControl=0\n" SERVICE                  \
            " DependOnService=PlugPlay | RpcSs\n" SERVICE " DisplayName=h2k first start\n" SERVICE \
            " ObjectName=LocalSystem\n"

/* With the program where it was built in, without elsewhere. */
static char *with_service(const char *arch, const char *before)
{
    if (!embedded_service(arch))
        return mem_printf(
            "%swrite /Windows/h2k/firstboot/run.cmd\n" NUMBERS SERVICE
            " ImagePath=%%SystemRoot%%\\system32\\cmd.exe /c start \"\" /b "
            "%%SystemRoot%%\\system32\\cmd.exe /c %%SystemRoot%%\\h2k\\firstboot\\run.cmd log\n",
            before);
    return mem_printf("%swrite /Windows/h2k/firstboot/run.cmd\n"
                      "write /Windows/h2k/firstboot/h2ksvc.exe\n" NUMBERS SERVICE
                      " ImagePath=%%SystemRoot%%\\h2k\\firstboot\\h2ksvc.exe\n" SERVICE
                      "\\Parameters CommandLine=%%SystemRoot%%\\system32\\cmd.exe /c "
                      "%%SystemRoot%%\\h2k\\firstboot\\run.cmd\n" SERVICE
                      "\\Parameters Log=%%SystemRoot%%\\h2k\\firstboot.log\n",
                      before);
}

static void nothing_to_do_is_no_service(void **state)
{
    (void)state;
    is_nt(10, 0, 19045, "x86_64");
    expect_plan(false, "");
}

static void drivers_are_installed_by_the_version_s_own_way(void **state)
{
    static const struct {
        const char *label;
        uint32_t major, minor, build;
        const char *arch, *name;
        const char *line;
    } cases[] = {
        { "Windows 7", 6, 1, 7601, "i386", "x86", "before=-i -a\r\n" },
        { "Windows 8.1", 6, 3, 9600, "x86_64", "amd64", "before=-i -a\r\n" },
        { "Windows 10 1507", 10, 0, 10240, "x86_64", "amd64", "before=-i -a\r\n" },
        { "Windows 10 22H2", 10, 0, 19045, "x86_64", "amd64", "behind=/install\r\n" },
        { "Windows 11 on ARM", 10, 0, 26100, "aarch64", "arm64", "before=/add-driver\r\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *want =
            with_service(cases[i].name, FOLDERS "write /Windows/Drivers/VirtIO/netkvm.inf\n"
                                                "mkdir /Windows/h2k/firstboot\n"
                                                "mkdir " SCRIPTS_FOLDER "\n"
                                                "write " WIN_SCRIPTS "1000-drivers.bat\n");

        print_message("case: %s\n", cases[i].label);
        is_nt(cases[i].major, cases[i].minor, cases[i].build, cases[i].arch);
        expect_plan(true, want);
        win_script_has(plan, "1000-drivers.bat", cases[i].line);
        win_script_has(plan, "1000-drivers.bat",
                       "set command=certutil -addstore -f TrustedPublisher");
        win_script_has(plan, "1000-drivers.bat", "\\run.cmd limit package-%number% 300\r\n");
        win_script_has(plan, "1000-drivers.bat", "\r\nset command=pnputil ");
        free(want);
        teardown(state);
        setup(state);
    }
}

static void servers_get_their_disks_online(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    facts->windows->is_server = true;
    is_nt(6, 1, 7601, "x86_64"); /* no cmdlets for disks yet */
    assert_int_equal(make_plan(true, &err), 0);
    assert_false(plan_exists(plan, WIN_SCRIPTS "4000-disks.ps1"));
    is_nt(10, 0, 20348, "x86_64");
    assert_int_equal(make_plan(true, &err), 0);
    win_script_has(plan, "4000-disks.ps1", "Set-Disk");
}

static void xp_asks_nothing_until_its_scripts_have_run(void **state)
{
    static const char before[] =
        FOLDERS "write /Windows/Drivers/VirtIO/netkvm.inf\n"
                "set-value " SOFTWARE " Policies\\Microsoft\\Windows\\DeviceInstall\\Settings "
                "SuppressNewHWUI=1\n"
                "set-value " SOFTWARE " Microsoft\\Driver Signing Policy=\n"
                "mkdir /Windows/h2k/firstboot\nmkdir " SCRIPTS_FOLDER "\n"
                "write " WIN_SCRIPTS "9000-hardware-wizard.bat\n";
    char *want = with_service("x86", before);

    (void)state;
    is_nt(5, 1, 2600, "i386");
    expect_plan(true, want);
    win_script_has(plan, "9000-hardware-wizard.bat",
                   "reg delete \"HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\DeviceInstall\\"
                   "Settings\" /v SuppressNewHWUI /f\r\n");
    win_script_has(plan, "9000-hardware-wizard.bat",
                   "reg add \"HKLM\\SOFTWARE\\Microsoft\\Driver Signing\" /v Policy /t REG_BINARY "
                   "/d 01 /f\r\n");
    free(want);
}

static void server_2003_has_another_value_for_it(void **state)
{
    struct err err = ERR_NONE;
    uint32_t number = 0;

    (void)state;
    is_nt(5, 2, 3790, "x86_64");
    assert_int_equal(make_plan(true, &err), 0);
    assert_true(plan_hive_u32(plan, SYSTEM, PNP "\\Parameters", "SuppressUI", &number));
    assert_int_equal(number, 1);
    win_script_has(plan, "9000-hardware-wizard.bat",
                   "reg delete \"HKLM\\SYSTEM\\CurrentControlSet\\Services\\PlugPlay\\Parameters\" "
                   "/v SuppressUI /f\r\n");
}

static void the_first_control_set_is_undone(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    is_nt(5, 2, 3790, "x86_64");
    strlist_add(&facts->windows->control_sets, "ControlSet002"); /* quiet by itself */
    assert_int_equal(make_plan(true, &err), 0);
    win_script_has(plan, "9000-hardware-wizard.bat", "/v SuppressUI /f\r\n");
}

static void the_service_can_be_chosen(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    is_nt(10, 0, 26100, "x86_64");
    opts.firstboot_service = FIRSTBOOT_SERVICE_REGISTRY;
    assert_int_equal(make_plan(true, &err), 0);
    assert_false(plan_exists(plan, "/Windows/h2k/firstboot/h2ksvc.exe"));
    assert_true(plan_exists(plan, "/Windows/h2k/firstboot/run.cmd"));
    opts.firstboot_service = FIRSTBOOT_SERVICE_WRAPPER;
    is_nt(10, 0, 26100, "aarch64");
    assert_true(make_plan(true, &err) < 0);
    assert_int_equal(err.status, STATUS_HOST);
}

/* ---- what the user asks for ---- */

static struct inject_script *add_wanted(const char *name, const char *data)
{
    struct inject_script *script =
        mem_add(&opts.inject.firstboot, &opts.inject.n_firstboot, sizeof(*script));

    script->name = mem_strdup(name);
    script->script = data ? mem_printf("/tmp/%s", name) : NULL;
    script->data = mem_strdup(data);
    script->len = data ? strlen(data) : 0;
    return script;
}

static void scripts_of_the_user_come_last(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    is_nt(10, 0, 17763, "x86_64");
    add_wanted("Setup.Two.PS1", "exit 0\r\n");
    add_wanted("command", NULL)->command = mem_strdup("echo hello");
    assert_int_equal(make_plan(false, &err), 0);
    win_script_has(plan, "8000-Setup.ps1", "exit 0\r\n");
    win_script_has(plan, "8001-command.bat", "@echo off\r\necho hello\r\n");
    add_wanted("setup.sh", "#!/bin/sh\n");
    assert_true(make_plan(false, &err) < 0);
    assert_int_equal(err.status, STATUS_USAGE);
}

static void commands_say_their_code_page(void **state)
{
    struct err err = ERR_NONE;
    char *text = NULL;
    size_t len = 0;

    (void)state;
    is_nt(6, 1, 7601, "x86_64");
    add_wanted("command", NULL)->command = mem_strdup("echo caf\xc3\xa9");
    assert_int_equal(make_plan(false, &err), 0);
    assert_int_equal(plan_read(plan, WIN_SCRIPTS "8000-command.bat", &text, &len, &err), 0);
    assert_string_equal(text, "@echo off\r\nchcp 65001 >nul\r\necho caf\xc3\xa9\r\n");
    free(text);
    is_nt(6, 0, 6002, "x86_64");
    assert_true(make_plan(false, &err) < 0);
    assert_int_equal(err.status, STATUS_USAGE);
}

static void accounts_that_are_missing_are_made(void **state)
{
    struct inject_user *user;
    struct err err = ERR_NONE;

    (void)state;
    is_nt(10, 0, 17763, "x86_64");
    user = inject_user_get(&opts.inject, "someone");
    user->password = mem_strdup("secret");
    user->create = true;
    assert_int_equal(make_plan(false, &err), 0);
    win_script_has(plan, "6000-user-1.ps1", "$create = $true\r\n");
    win_script_has(plan, "6000-user-1.ps1",
                   "\r\n        $missing = $true\r\n"); /* where it throws */
}

static void passwords_are_kept_secret(void **state)
{
    struct inject_user *user;
    struct err err = ERR_NONE;
    bool found = false;

    (void)state;
    is_nt(10, 0, 17763, "x86_64");
    user = inject_user_get(&opts.inject, "Administrator");
    user->password = mem_strdup("it's %x% \"$y\"");
    assert_int_equal(make_plan(false, &err), 0);
    win_script_has(plan, "6000-user-1.ps1", "$password = ('it' + [char]39 + 's ' + [char]37 + 'x'");
    for (size_t i = 0; i < plan->n; i++)
        if (strstr(plan->changes[i].path, "user-1"))
            found = plan->changes[i].secret && plan->changes[i].attr.mode == 0600;
    assert_true(found);
    is_nt(5, 1, 2600, "i386");
    assert_int_equal(make_plan(false, &err), 0);
    win_script_has(plan, "6000-user-1.vbs", "password = (\"it\" & ChrW(39) & \"s \"");
    facts->windows->is_domain_controller = true;
    assert_true(make_plan(false, &err) < 0);
}

static void the_agent_comes_and_tools_go(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    is_nt(6, 3, 9600, "x86_64");
    opts.inject.agent.file = mem_strdup("qemu-ga-x86_64.msi");
    opts.inject.agent.data = mem_strdup("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1package");
    opts.inject.agent.len = 15;
    opts.inject.remove_tools = true;
    assert_int_equal(make_plan(false, &err), 0);
    assert_true(plan_exists(plan, "/Windows/h2k/firstboot/guest-agent.msi"));
    win_script_has(plan, "3000-guest-agent.bat", "msiexec /i");
    win_script_has(plan, "5000-remove-tools.bat", "@set drivers=\r\n");
    is_nt(10, 0, 17763, "x86_64");
    assert_int_equal(make_plan(false, &err), 0);
    win_script_has(plan, "5000-remove-tools.bat", "@set drivers=1\r\n");
    opts.inject.hostname = mem_strdup("name");
    assert_true(make_plan(false, &err) < 0);
    assert_int_equal(err.status, STATUS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_to_do_is_no_service, setup, teardown),
        cmocka_unit_test_setup_teardown(drivers_are_installed_by_the_version_s_own_way, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(servers_get_their_disks_online, setup, teardown),
        cmocka_unit_test_setup_teardown(xp_asks_nothing_until_its_scripts_have_run, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(server_2003_has_another_value_for_it, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_control_set_is_undone, setup, teardown),
        cmocka_unit_test_setup_teardown(the_service_can_be_chosen, setup, teardown),
        cmocka_unit_test_setup_teardown(scripts_of_the_user_come_last, setup, teardown),
        cmocka_unit_test_setup_teardown(commands_say_their_code_page, setup, teardown),
        cmocka_unit_test_setup_teardown(accounts_that_are_missing_are_made, setup, teardown),
        cmocka_unit_test_setup_teardown(passwords_are_kept_secret, setup, teardown),
        cmocka_unit_test_setup_teardown(the_agent_comes_and_tools_go, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
