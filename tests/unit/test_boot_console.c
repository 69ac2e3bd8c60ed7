/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "fixers/boot_console.h"
#include "fixers/boot_login.h"
#include "tests/unit/unit.h"

static const struct {
    const char *label, *said;
    enum boot_stage stage;
    const char *reason; /* part of it; NULL: it has not failed */
} cases[] = {
    { "silence", "", BOOT_NOTHING, NULL },
    { "loader", "\033[2J\033[1;1HGNU GRUB  version 2.06\r\n", BOOT_LOADER, NULL },
    { "kernel", "Loading Linux 6.1.0\r\n[    0.000000] Linux version 6.1.0\r\n", BOOT_KERNEL,
      NULL },
    { "initramfs", "Loading, please wait...\r\nStarting version 252\r\n", BOOT_INITRAMFS, NULL },
    { "dracut's own welcome is not the system's",
      "Welcome to \033[1mDebian GNU/Linux 12 (bookworm) dracut-059 (Initramfs)\033[0m!\r\n",
      BOOT_INITRAMFS, NULL },
    { "system", "Welcome to \033[1mDebian GNU/Linux 12 (bookworm)\033[0m!\r\n", BOOT_SYSTEM, NULL },
    { "login", "Debian GNU/Linux 12 web01 ttyS0\r\n\r\nweb01 login: ", BOOT_LOGIN, NULL },
    { "login with a kernel message behind it", "web01 login: [   30.1] random: done\r\n",
      BOOT_LOGIN, NULL },
    { "nothing to boot", "No bootable device.\r\n", BOOT_FIRMWARE, "finds nothing to boot" },
    { "UEFI shell", "UEFI Interactive Shell v2.2\r\n", BOOT_FIRMWARE, "finds nothing to boot" },
    { "grub rescue", "error: no such device: 1234.\r\nEntering rescue mode...\r\ngrub rescue> ",
      BOOT_LOADER, "does not find its files: error: no such device: 1234" },
    { "panic with its cause",
      "[    1.5] VFS: Cannot open root device \"sda1\" or unknown-block(0,0): error -6\r\n"
      "[    1.6] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n",
      BOOT_KERNEL, "kernel panic: VFS: Cannot open root device \"sda1\"" },
    { "initramfs-tools without its root",
      "Gave up waiting for root file system device.\r\n - Boot args\r\n"
      "ALERT!  /dev/sda1 does not exist.  Dropping to a shell!\r\n(initramfs) ",
      BOOT_INITRAMFS, "ended in a shell: ALERT!  /dev/sda1 does not exist" },
    { "dracut waits without limit",
      "\r\033[K[\033[0;31m*\033[0m] A start job is running for dev-sda1.device (59s / no limit)"
      "\r\033[K[\033[0;31m*\033[0m] Job dev-sda1.device/start running (1min 1s / no limit)\r\033[K",
      BOOT_INITRAMFS, "waits for a device" },
    { "dracut's own service waits",
      "[  *** ] A start job is running for dracut initqueue hook (2min 5s / no limit)\r\033[K",
      BOOT_INITRAMFS, "waits for a device" },
    { "a slow service is no device",
      "Welcome to Debian GNU/Linux 12 (bookworm)!\r\n"
      "[  *** ] Job e2scrub_reap.service/start running (2min 5s / no limit)\r\033[K\r\n",
      BOOT_SYSTEM, NULL },
    { "emergency mode with its cause",
      "[\033[0;1;31m TIME \033[0m] Timed out waiting for device /dev/sdb1.\r\n"
      "You are in emergency mode. After logging in, type \"journalctl -xb\"\r\n",
      BOOT_SYSTEM, "emergency mode: Timed out waiting for device /dev/sdb1." },
};

static void stages_and_failures_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct boot_console console;

        print_message("case: %s\n", cases[i].label);
        for (size_t piece = 1; piece < 64; piece += 31) { /* however it is cut */
            boot_console_init(&console);
            for (size_t at = 0; at < strlen(cases[i].said); at += piece) {
                size_t left = strlen(cases[i].said) - at;

                boot_console_feed(&console, cases[i].said + at, left < piece ? left : piece);
            }
            assert_int_equal(console.stage, cases[i].stage);
            assert_int_equal(console.failed, cases[i].reason != NULL);
            if (cases[i].reason)
                assert_non_null(strstr(console.reason, cases[i].reason));
            boot_console_done(&console);
        }
    }
}

static void text_is_kept_without_control_and_bounded(void **state)
{
    struct boot_console console;
    char *tail;

    (void)state;
    boot_console_init(&console);
    boot_console_feed(&console, "a\033[0;1;31mb\033[0m\r\n\033]0;title\ac\rd\n", 32);
    tail = boot_console_tail(&console, 10);
    assert_string_equal(tail, "ab\nc\nd\n");
    free(tail);
    for (unsigned i = 0; i < 40000; i++)
        boot_console_feed(&console, "0123456789012345678901234567890123456789", 40);
    assert_true(console.text.len < 2U << 20);
    boot_console_feed(&console, "\nlast\n", 6);
    tail = boot_console_tail(&console, 1);
    assert_string_equal(tail, "last\n");
    free(tail);
    boot_console_done(&console);
}

/* What was typed, up to the carriage return. */
static const char *typed(int fd, char *buf, size_t size)
{
    ssize_t n = read(fd, buf, size - 1);

    assert_true(n > 0);
    buf[n] = '\0';
    assert_int_equal(buf[n - 1], '\r');
    buf[n - 1] = '\0';
    return buf;
}

static void say(struct boot_console *console, const char *text)
{
    boot_console_feed(console, text, strlen(text));
}

static void a_command_runs_after_login(void **state)
{
    struct boot_login login = { .user_password = "root:se:cret", .command = "uptime" };
    struct boot_console console;
    struct err err = ERR_NONE;
    char buf[256];
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    boot_console_init(&console);
    say(&console, "web01 login: ");
    assert_int_equal(boot_login_step(&login, &console, fds[0], &err), LOGIN_GOING_ON);
    assert_string_equal(typed(fds[1], buf, sizeof(buf)), "root");
    say(&console, "root\r\nPassword: ");
    assert_int_equal(boot_login_step(&login, &console, fds[0], &err), LOGIN_GOING_ON);
    assert_string_equal(typed(fds[1], buf, sizeof(buf)), "se:cret");
    say(&console, "\r\nLinux web01 6.1.0 #1 SMP\r\n\033[?2004hroot@web01:~# ");
    assert_int_equal(boot_login_step(&login, &console, fds[0], &err), LOGIN_GOING_ON);
    say(&console, typed(fds[1], buf, sizeof(buf))); /* its echo is not the answer */
    assert_int_equal(boot_login_step(&login, &console, fds[0], &err), LOGIN_GOING_ON);
    say(&console, "\r\nH2K-READY\r\n");
    assert_int_equal(boot_login_step(&login, &console, fds[0], &err), LOGIN_GOING_ON);
    assert_non_null(strstr(typed(fds[1], buf, sizeof(buf)), "uptime"));
    say(&console, "up 1 day\r\nH2K-STATUS=1");
    assert_int_equal(boot_login_step(&login, &console, fds[0], &err), LOGIN_GOING_ON);
    say(&console, "7\r\n");
    assert_int_equal(boot_login_step(&login, &console, fds[0], &err), LOGIN_DONE);
    assert_int_equal(login.status, 17);
    assert_string_equal(login.output, "up 1 day\n");
    boot_login_done(&login);
    boot_console_done(&console);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void a_wrong_password_is_seen(void **state)
{
    struct boot_login login = { .user_password = "root:x", .command = "true" };
    struct boot_console console;
    struct err err = ERR_NONE;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    boot_console_init(&console);
    say(&console, "web01 login: ");
    assert_int_equal(boot_login_step(&login, &console, fds[0], &err), LOGIN_GOING_ON);
    say(&console, "root\r\nPassword: ");
    assert_int_equal(boot_login_step(&login, &console, fds[0], &err), LOGIN_GOING_ON);
    say(&console, "\r\nLogin incorrect\r\nweb01 login: ");
    assert_int_equal(boot_login_step(&login, &console, fds[0], &err), LOGIN_REFUSED);
    boot_console_done(&console);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_and_failures_are_known),
        cmocka_unit_test(text_is_kept_without_control_and_bounded),
        cmocka_unit_test(a_command_runs_after_login),
        cmocka_unit_test(a_wrong_password_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
