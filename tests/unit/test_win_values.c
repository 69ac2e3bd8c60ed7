/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single values of the registry, and what is said of policies that may be in the way. */
#include <string.h>

#include "tests/unit/win_util.h"

#define SOFTWARE "/Windows/System32/config/SOFTWARE"
#define POLICIES "[Policies\\Microsoft\\Windows\\"
#define SERVICES "[ControlSet001\\Services\\"
#define ONLINE                                                                                     \
    WIN_SYSTEM ": data disks on a new controller stay online\n"                                    \
               " [ControlSet001\\Services\\partmgr\\Parameters]\n"
#define PATIENT WIN_SYSTEM ": a slow moment of the host's storage is no failure\n"
#define RIGHT                                                                                      \
    SERVICES "partmgr\\Parameters]\nSanPolicy=dword:1\n" SERVICES "Disk]\nTimeoutValue=dword:3c\n"

extern const struct fixer fixer_win_registry;

static const struct {
    const char *label, *system, *software, *want;
    bool is_xp;
} cases[] = {
    { .label = "nothing is there",
      .system = SERVICES "partmgr]\n",
      .software = "[x]\n",
      .want = ONLINE "+\"SanPolicy\"=dword:00000001\n" PATIENT
                     " [ControlSet001\\Services\\Disk]\n+\"TimeOutValue\"=dword:0000003c\n" },
    { .label = "a server's policy; a value that is spelt in another way",
      .system = SERVICES "partmgr\\Parameters]\nSanPolicy=dword:3\n" SERVICES
                         "Disk]\nTimeoutValue=dword:a\n",
      .software = "[x]\n",
      .want = ONLINE "-\"SanPolicy\"=dword:00000003\n+\"SanPolicy\"=dword:00000001\n" PATIENT
                     " [ControlSet001\\Services\\Disk]\n-\"TimeoutValue\"=dword:0000000a\n"
                     "+\"TimeOutValue\"=dword:0000003c\n" },
    { .label = "more time than that, and XP, which takes disks as they come",
      .system = SERVICES "Disk]\nTimeoutValue=dword:b4\n",
      .software = "[x]\n",
      .want = "",
      .is_xp = true },
    { .label = "policies about devices",
      .system = RIGHT,
      .software = POLICIES "DeviceInstall\\Restrictions]\n" POLICIES "DriverSearching]\n",
      .want =
          "note: win-registry: a policy restricts the installation of devices "
          "(DeviceInstall\\Restrictions): "
          "Windows may refuse drivers at its first start\n"
          "note: win-registry: a policy says where drivers are looked for (DriverSearching)\n" },
    { .label = "signed scripts only",
      .system = RIGHT,
      .software = POLICIES "PowerShell]\nEnableScripts=dword:1\nExecutionPolicy=sz:AllSigned\n",
      .want = "note: win-registry: a policy lets PowerShell run signed scripts only: of the "
              "scripts of the first "
              "start those in PowerShell fail, addresses and disks may have to be set by hand\n" },
    { .label = "no scripts",
      .system = RIGHT,
      .software = POLICIES "PowerShell]\nEnableScripts=dword:0\n",
      .want = "note: win-registry: a policy lets PowerShell run no scripts: of the scripts of the "
              "first "
              "start those in PowerShell fail, addresses and disks may have to be set by hand\n" },
    { .label = "scripts of this machine",
      .system = RIGHT,
      .software = POLICIES "PowerShell]\nEnableScripts=dword:1\nExecutionPolicy=sz:RemoteSigned\n",
      .want = "" },
};

static void values_are_set_and_policies_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct win_guest guest;

        print_message("case: %s\n", cases[i].label);
        win_guest_open(&guest, cases[i].system);
        win_put_hive(&guest.tree, SOFTWARE, cases[i].software);
        facts_set(&guest.facts->windows->software_hive, SOFTWARE);
        if (cases[i].is_xp)
            guest.facts->windows->nt_major = 5;
        win_expect(&guest, &fixer_win_registry, cases[i].want);
        win_guest_close(&guest);
    }
}

/* They are found by inspection. */
static void who_may_undo_it_is_told(void **state)
{
    struct win_guest guest;

    (void)state;
    win_guest_open(&guest, RIGHT);
    win_put_hive(&guest.tree, SOFTWARE, "[x]\n");
    facts_set(&guest.facts->windows->software_hive, SOFTWARE);
    facts_set(&guest.facts->windows->antivirus, "Kaspersky");
    guest.facts->windows->group_policies = true;
    win_expect(&guest, &fixer_win_registry,
               "note: win-registry: it has group policies of a domain, which may undo changes\n"
               "note: win-registry: Kaspersky is installed: should Windows stop with 0x7B, take it "
               "out of the "
               "source first\n");
    win_guest_close(&guest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_set_and_policies_told),
        cmocka_unit_test(who_may_undo_it_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
