/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is switched off in a Windows guest, and which filters go. */
#include "fixers/windows/paths.h"
#include "fixers/windows/windows.h"
#include "tests/unit/win_util.h"

#define SERVICES "[ControlSet001\\Services\\"
#define DISKS "ControlSet001\\Control\\Class\\{4d36e967-e325-11ce-bfc1-08002be10318}"
#define XEN_REASON "Xen's drivers take emulated devices away for others that only Xen has"
#define NOT_WITHOUT ", and a device does not start without its filters\n"

/* What of the test's guest is not usual. */
enum odd { NO_ODD, REQUESTED, OLD };

static const struct {
    const char *label;
    enum odd odd;
    const char *system;
    const char *files[3];
    const char *want;
} cases[] = {
    { .label = "nothing of a hypervisor",
      .system =
          SERVICES "partmgr]\nStart=dword:0\n" SERVICES "intelppm]\nStart=dword:3\n" //
                   "[" DISKS "]\nUpperFilters=multi:partmgr\nLowerFilters=multi:EhStorClass\n",
      .want = "" },
    { .label = "no classes at all", .system = SERVICES "x]\n", .want = "" },
    { .label = "VMware: what is harmless stays, also what has no values",
      .system = SERVICES "VMTools]\nStart=dword:2\n" SERVICES "vmci]\nStart=dword:0\n" SERVICES
                         "vsock]\nStart=dword:0\n" SERVICES "pvscsi\\vwdk.installers]\n" SERVICES
                         "pvscsi]\n" SERVICES "vsepflt]\nStart=dword:2\n",
      .want = WIN_SYSTEM ": VMware's NSX drivers ask an appliance that is not there\n"
                         " [ControlSet001\\Services\\vsepflt]\n"
                         "-\"Start\"=dword:00000002\n"
                         "+\"Start\"=dword:00000004\n" },
    { .label = "VMware: more on request",
      .odd = REQUESTED,
      .system = SERVICES "vmtools]\nstart=dword:2\n" SERVICES "VGAuthService]\nStart=dword:4\n",
      .want = WIN_SYSTEM ": VMware's tools have nothing to talk to on KVM\n"
                         " [ControlSet001\\Services\\VMTools]\n"
                         "-\"start\"=dword:00000002\n"
                         "+\"Start\"=dword:00000004\n" },
    { .label = "Xen: with its filters, wherever they are",
      .system = SERVICES "xenfilt]\nStart=dword:0\n" //
                         "[ControlSet001\\Control\\Class\\{4D36E96A-E325-11CE-BFC1-08002BE10318}]\n"
                         "UpperFilters=multi:XENFILT\n"
                         "[ControlSet001\\Control\\Class\\{6bdd1fc6-810f-11d0-bec7-08002be2092f}]\n"
                         "UpperFilters=multi:xenfilt,gone\n",
      .want = WIN_SYSTEM
      ": " XEN_REASON "\n"
      " [ControlSet001\\Services\\xenfilt]\n"
      "-\"Start\"=dword:00000000\n"
      "+\"Start\"=dword:00000004\n" WIN_SYSTEM ": XENFILT is disabled" NOT_WITHOUT
      " [ControlSet001\\Control\\Class\\{4D36E96A-E325-11CE-BFC1-08002BE10318}]\n"
      "-\"UpperFilters\"=multi:\"XENFILT\"\n" WIN_SYSTEM ": xenfilt is disabled" NOT_WITHOUT
      " [ControlSet001\\Control\\Class\\{6bdd1fc6-810f-11d0-bec7-08002be2092f}]\n"
      "-\"UpperFilters\"=multi:\"xenfilt\",\"gone\"\n"
      "+\"UpperFilters\"=multi:\"gone\"\n" },
    { .label = "filters of disks: only dead ones go, never Windows' own",
      .system =
          SERVICES "stdcfltn]\nStart=dword:0\nImagePath=expand:System32\\drivers\\std.sys\n" //
      SERVICES "good]\nStart=dword:0\n" SERVICES "far]\nStart=dword:0\n"
                   "ImagePath=expand:\\??\\D:\\far.sys\n" SERVICES "off]\nStart=dword:4\n" //
                   "[" DISKS "]\nUpperFilters=multi:partmgr,gone,good\n"
                   "LowerFilters=multi:far,EhStorClass,stdcfltn,off\n",
      .files = { "/Windows/System32/drivers/good.sys", "/Windows/System32/drivers/off.sys" },
      .want =
          WIN_SYSTEM ": gone is not installed" NOT_WITHOUT " [" DISKS "]\n"
                     "-\"UpperFilters\"=multi:\"partmgr\",\"gone\",\"good\"\n"
                     "+\"UpperFilters\"=multi:\"partmgr\",\"good\"\n" WIN_SYSTEM
                     ": stdcfltn has lost its file, off is disabled" NOT_WITHOUT " [" DISKS "]\n"
                     "-\"LowerFilters\"=multi:\"far\",\"EhStorClass\",\"stdcfltn\",\"off\"\n"
                     "+\"LowerFilters\"=multi:\"far\",\"EhStorClass\"\n" },
    { .label = "drivers of processors, before Windows Vista",
      .odd = OLD,
      .system = SERVICES "intelppm]\nStart=dword:1\n" SERVICES "Processor]\nStart=dword:3\n" //
                         "[ControlSet002\\Services\\intelppm]\nStart=dword:1\n",
      .want = WIN_SYSTEM ": before Windows Vista these stop at a processor of another make (0x7E)\n"
                         " [ControlSet001\\Services\\intelppm]\n"
                         "-\"Start\"=dword:00000001\n"
                         "+\"Start\"=dword:00000004\n" WIN_SYSTEM
                         ": before Windows Vista these stop at a processor of another make (0x7E)\n"
                         " [ControlSet001\\Services\\processor]\n"
                         "-\"Start\"=dword:00000003\n"
                         "+\"Start\"=dword:00000004\n" WIN_SYSTEM
                         ": before Windows Vista these stop at a processor of another make (0x7E)\n"
                         " [ControlSet002\\Services\\intelppm]\n"
                         "-\"Start\"=dword:00000001\n"
                         "+\"Start\"=dword:00000004\n" },
};

static void only_what_would_hurt_is_switched_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct win_guest guest;

        print_message("case: %s\n", cases[i].label);
        win_guest_open(&guest, cases[i].system);
        for (size_t f = 0; f < ARRAY_SIZE(cases[i].files) && cases[i].files[f]; f++)
            tree_put(&guest.tree, cases[i].files[f], "MZ", 0644);
        guest.opts.inject.remove_tools = cases[i].odd == REQUESTED;
        if (cases[i].odd == OLD) {
            guest.facts->windows->nt_major = 5;
            strlist_add(&guest.facts->windows->control_sets, "ControlSet002");
        }
        win_expect(&guest, &fixer_win_tools, cases[i].want);
        win_guest_close(&guest);
    }
}

/* A driver that cannot read a compressed file of the system shows it as a link that leads nowhere.
 */
static void a_file_that_cannot_be_read_is_not_lost(void **state)
{
    struct win_guest guest;

    (void)state;
    win_guest_open(&guest, SERVICES "packed]\nStart=dword:0\n[" DISKS "]\n"
                                    "UpperFilters=multi:packed\n");
    tree_link(&guest.tree, "unsupported reparse tag 0x80000017",
              "/Windows/System32/drivers/packed.sys");
    win_expect(&guest, &fixer_win_tools, "");
    win_guest_close(&guest);
}

static void paths_of_drivers_are_understood(void **state)
{
    static const struct {
        const char *image, *want;
    } paths[] = {
        { NULL, "/Windows/System32/drivers/x.sys" },
        { "", "/Windows/System32/drivers/x.sys" },
        { "system32\\DRIVERS\\y.sys", "/Windows/system32/DRIVERS/y.sys" },
        { "\\SystemRoot\\System32\\y.sys", "/Windows/System32/y.sys" },
        { "%systemroot%\\y.sys", "/Windows/y.sys" },
        { "\\??\\C:\\Program Files\\y.sys", "/Program Files/y.sys" },
        { "c:\\y.sys", "/y.sys" },
        { "\\??\\D:\\y.sys", NULL },
        { "E:\\y.sys", NULL },
        { "\\Device\\HarddiskVolume2\\y.sys", NULL },
        { "%ProgramFiles%\\y.sys", NULL },
    };
    struct win_guest guest;

    (void)state;
    win_guest_open(&guest, "[x]\n");
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        char *path = win_image_path(guest.facts, paths[i].image, "x");

        print_message("path: %s\n", paths[i].image ? paths[i].image : "(none)");
        if (paths[i].want)
            assert_string_equal(path, paths[i].want);
        else
            assert_null(path);
        free(path);
    }
    win_guest_close(&guest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_would_hurt_is_switched_off),
        cmocka_unit_test(a_file_that_cannot_be_read_is_not_lost),
        cmocka_unit_test(paths_of_drivers_are_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
