/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings of Windows that are changed on request. */
#include "fixers/windows/windows.h"
#include "tests/unit/win_util.h"

#define REASON WIN_SYSTEM ": Remote Desktop is asked for\n"
#define SERVER "ControlSet001\\Control\\Terminal Server"
#define SERVICE "ControlSet001\\Services\\TermService"
#define POLICY "ControlSet001\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\"
#define RULES POLICY "FirewallRules"
#define SOFTWARE "/Windows/System32/config/SOFTWARE"

static const struct {
    const char *label;
    unsigned nt_major;
    const char *edition, *system, *software, *want;
} cases[] = {
    { "off, behind a firewall", 10, "Professional",
      "[" SERVER "]\nfDenyTSConnections=dword:1\n[" SERVICE "]\nStart=dword:4\n[" RULES "]\n"
      "RemoteDesktop-UserMode-In-TCP=sz:v2.30|Action=Allow|Active=FALSE|Dir=In|LPort=3389|\n"
      "RemoteDesktop-UserMode-In-UDP=sz:v2.30|Action=Allow|Active=TRUE|Dir=In|LPort=3389|\n"
      "RemoteAssistance-In-TCP=sz:v2.30|Action=Allow|Active=FALSE|Dir=In|\n",
      "[x]\n",
      REASON " [" SERVER "]\n-\"fDenyTSConnections\"=dword:00000001\n"
             "+\"fDenyTSConnections\"=dword:00000000\n" REASON " [" SERVICE
             "]\n-\"Start\"=dword:00000004\n+\"Start\"=dword:00000003\n" REASON " [" RULES "]\n"
             "-\"RemoteDesktop-UserMode-In-TCP\"="
             "\"v2.30|Action=Allow|Active=FALSE|Dir=In|LPort=3389|\"\n"
             "+\"RemoteDesktop-UserMode-In-TCP\"="
             "\"v2.30|Action=Allow|Active=TRUE|Dir=In|LPort=3389|\"\n" },
    { "on", 6, "Professional",
      "[" SERVER "]\nfDenyTSConnections=dword:0\n[" SERVICE "]\nStart=dword:3\n", "[x]\n", "" },
    { "forbidden, and not offered", 10, "Core", "[" SERVER "]\nfDenyTSConnections=dword:0\n",
      "[Policies\\Microsoft\\Windows NT\\Terminal Services]\nfDenyTSConnections=dword:1\n",
      "note: win-settings: a policy of the guest forbids Remote Desktop: it stays off until that "
      "is "
      "changed (Policies\\Microsoft\\Windows NT\\Terminal Services)\n"
      "note: win-settings: this edition of Windows has no Remote Desktop to offer\n" },
    { "XP", 5, "",
      "[" SERVER "]\nfDenyTSConnections=dword:1\n[" POLICY
      "DomainProfile\\GloballyOpenPorts\\List]\n"
      "3389:TCP=sz:3389:TCP:*:Enabled:@xpsp2res.dll,-22009\n",
      "[x]\n",
      REASON " [" SERVER "]\n-\"fDenyTSConnections\"=dword:00000001\n"
             "+\"fDenyTSConnections\"=dword:00000000\n" REASON " [" POLICY
             "StandardProfile\\GloballyOpenPorts\\List]\n"
             "+\"3389:TCP\"=\"3389:TCP:*:Enabled:@xpsp2res.dll,-22009\"\n" },
};

static void remote_desktop_is_switched_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct win_guest guest;

        print_message("case: %s\n", cases[i].label);
        win_guest_open(&guest, cases[i].system);
        win_put_hive(&guest.tree, SOFTWARE, cases[i].software);
        facts_set(&guest.facts->windows->software_hive, SOFTWARE);
        facts_set(&guest.facts->windows->edition, cases[i].edition);
        guest.facts->windows->nt_major = cases[i].nt_major;
        guest.opts.inject.rdp = true;
        win_expect(&guest, &fixer_win_settings, cases[i].want);
        win_guest_close(&guest);
    }
}

static void the_power_plan_is_set_at_the_first_start(void **state)
{
    static const struct {
        unsigned nt_major;
        const char *has, *has_not;
    } wanted[] = {
        { 10, "powercfg -setactive SCHEME_MIN\r\n", "/hibernate" },
        { 5, "powercfg /hibernate off\r\n", "SCHEME_MIN" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        struct win_guest guest;
        const char *script = "";
        struct plan *plan;

        win_guest_open(&guest, "[x]\n");
        guest.facts->windows->nt_major = wanted[i].nt_major;
        guest.opts.inject.never_sleep = true;
        plan = win_plan(&guest, &fixer_win_settings);
        for (size_t c = 0; c < plan->n; c++)
            if (plan->changes[c].action == CHANGE_WRITE)
                script = plan->changes[c].data;
        assert_non_null(strstr(script, wanted[i].has));
        assert_null(strstr(script, wanted[i].has_not));
        plan_free(plan);
        win_guest_close(&guest);
    }
}

static void nothing_is_set_unasked(void **state)
{
    const struct fix_opts opts = { 0 };
    struct win_guest guest;
    const char *why = NULL;

    (void)state;
    win_guest_open(&guest, "[x]\n");
    assert_false(fixer_win_settings.applies(
        &(struct fix_context){ .facts = guest.facts, .opts = &opts }, &why));
    assert_string_equal(why, "nothing is asked for");
    win_guest_close(&guest);
}

static void others_than_windows_are_refused(void **state)
{
    struct fix_opts opts = { .inject.rdp = true };
    struct err err = ERR_NONE;
    struct win_guest guest;
    struct plan *plan = NULL;

    (void)state;
    win_guest_open(&guest, "[x]\n");
    guest.facts->os = OS_LINUX;
    assert_true(fixers_plan(&(struct fix_context){ .facts = guest.facts, .opts = &opts },
                            guest.tree.root, &plan, &err) < 0);
    assert_int_equal(err.status, STATUS_USAGE);
    assert_null(plan);
    win_guest_close(&guest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remote_desktop_is_switched_on),
        cmocka_unit_test(the_power_plan_is_set_at_the_first_start),
        cmocka_unit_test(nothing_is_set_unasked),
        cmocka_unit_test(others_than_windows_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
