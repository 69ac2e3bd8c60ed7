/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/boot_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/invoker.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/base/signals.h"
#include "fixers/boot_login.h"
#include "fixers/boot_machine.h"
#include "inspect/json_text.h"

/* How long nothing new may be printed. dracut and systemd wait up to 90 s of guest time for a
 * device without a word on some consoles; emulation is slower. */
#define QUIET_KVM_MS 120000U
#define QUIET_TCG_MS 240000U
/* A KVM that does not run stock kernels goes silent at their start. */
#define QUIET_PROBE_MS 20000U
#define MAX_BUSY 5U
#define MAX_RESETS 3U /* a boot manager may restart the machine once */
#define TAIL_LINES 20U

struct run {
    const struct boot_opts *opts;
    struct boot_machine machine;
    struct boot_console console;
    struct boot_login login;
    int log_fd;
    uint64_t deadline; /* of everything; 0: none */
    bool kvm;
    bool may_fall_back; /* silence of a young kernel means that KVM is of no use here */
};

/* The verdict of one look at the machine. */
enum look { LOOK_ON, LOOK_BOOTED, LOOK_FAILED, LOOK_NO_KVM };

/* On a busy host everything takes longer: processes that want to run, per processor. */
static unsigned host_is_busy(void)
{
    double load = 0;
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    double ratio;

    if (getloadavg(&load, 1) != 1 || n < 1)
        return 1;
    ratio = load / (double)n;
    return ratio < 1 ? 1 : ratio > MAX_BUSY ? MAX_BUSY : (unsigned)(ratio + 0.5);
}

static uint64_t quiet_limit_ms(const struct run *run)
{
    if (run->may_fall_back && run->console.stage <= BOOT_KERNEL)
        return QUIET_PROBE_MS;
    return (uint64_t)host_is_busy() * (run->kvm ? QUIET_KVM_MS : QUIET_TCG_MS);
}

/* Takes ownership of @reason. */
static enum look give_up(struct run *run, char *reason)
{
    (void)snprintf(run->console.reason, sizeof(run->console.reason), "%s", reason);
    run->console.failed = true;
    free(reason);
    return LOOK_FAILED;
}

static enum look silence(struct run *run, uint64_t quiet_ms)
{
    unsigned s = (unsigned)(quiet_ms / 1000);

    if (run->may_fall_back && run->console.stage <= BOOT_KERNEL)
        return LOOK_NO_KVM;
    if (run->console.stage == BOOT_NOTHING)
        return give_up(run, mem_printf("nothing on the serial console for %u s: nothing boots, or "
                                       "the guest does not use it (console=ttyS0)",
                                       s));
    return give_up(run, mem_printf("no progress for %u s%s%s", s, *run->console.hint ? ": " : "",
                                   run->console.hint));
}

/* What the console and the monitor say now. */
static enum look judge(struct run *run, struct err *err)
{
    struct boot_console *console = &run->console;
    int r;

    boot_machine_listen(&run->machine);
    if (console->failed)
        return LOOK_FAILED;
    if (boot_machine_found_nothing(&run->machine))
        return give_up(run, mem_strdup("the firmware found nothing to boot: no boot loader on the "
                                       "disk, or it is one for UEFI (--uefi)"));
    if (run->machine.n_resets > MAX_RESETS)
        return give_up(run, mem_printf("the guest restarts the machine again and again%s%s",
                                       *console->hint ? ": " : "", console->hint));
    if (console->stage != BOOT_LOGIN)
        return LOOK_ON;
    if (!run->opts->login)
        return LOOK_BOOTED;
    r = boot_login_step(&run->login, console, run->machine.serial_fd, err);
    if (r == LOGIN_REFUSED)
        return give_up(run, mem_strdup("login refused"));
    if (r == LOGIN_DONE && run->login.status != 0)
        return give_up(run, mem_printf("the command ended with %d", run->login.status));
    if (r < 0)
        return give_up(run, mem_strdup("the serial console was closed"));
    return r == LOGIN_DONE ? LOOK_BOOTED : LOOK_ON;
}

/* Read what the guest printed. 0 at the end (the machine is off), 1 when there was something, -1
 * when there was nothing. */
static int hear(struct run *run)
{
    char piece[4096];
    ssize_t n = read(run->machine.serial_fd, piece, sizeof(piece));

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? -1 : 0;
    if (n > 0 && run->log_fd >= 0 && io_write_full(run->log_fd, piece, (size_t)n) < 0)
        log_debug("the console log cannot be written");
    boot_console_feed(&run->console, piece, (size_t)n);
    return n > 0;
}

/* Follow the guest to a verdict. */
static int follow(struct run *run, enum look *ret, struct err *err)
{
    uint64_t heard = io_now_ms();
    enum look look = LOOK_ON;

    (void)fcntl(run->machine.serial_fd, F_SETFL, O_NONBLOCK);
    while (look == LOOK_ON) {
        struct pollfd polls[] = {
            { .fd = run->machine.serial_fd, .events = POLLIN },
            { .fd = run->machine.monitor_fd, .events = POLLIN },
            { .fd = run->machine.firmware_fd, .events = POLLIN },
            { .fd = signals_fd(), .events = POLLIN },
        };
        uint64_t now;
        int something = -1;

        if (poll(polls, ARRAY_SIZE(polls), 1000) < 0 && errno != EINTR)
            return err_set(err, errno, "wait for the guest");
        if (signals_pending())
            return err_set(err, EINTR, "boot test");
        if (polls[0].revents)
            something = hear(run);
        now = io_now_ms();
        heard = something > 0 ? now : heard;
        look = something == 0 ? give_up(run, mem_strdup("the machine went off")) : judge(run, err);
        if (look == LOOK_ON && run->deadline && now >= run->deadline)
            look = give_up(run, mem_printf("not done within %u s", run->opts->timeout_s));
        if (look == LOOK_ON && now - heard >= quiet_limit_ms(run))
            look = silence(run, now - heard);
    }
    *ret = look;
    return 0;
}

static void take_screenshot(struct run *run)
{
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    if (!run->opts->screenshot)
        return;
    if (boot_machine_screenshot(&run->machine, run->opts->screenshot, &err) < 0) {
        log_debug("%s", err_text(&err, text, sizeof(text)));
        (void)unlink(run->opts->screenshot); /* it is empty */
    }
}

static int run_once(struct run *run, const char *dir, enum look *ret, struct err *err)
{
    int r;

    boot_console_init(&run->console);
    run->login = (struct boot_login){ .user_password = run->opts->login,
                                      .command = run->opts->command ? run->opts->command : "true" };
    r = boot_machine_start(run->opts, run->kvm ? "kvm" : "tcg", dir, &run->machine, err);
    if (r == 0)
        r = follow(run, ret, err);
    if (r == 0 && *ret != LOOK_NO_KVM)
        take_screenshot(run);
    boot_machine_stop(&run->machine);
    return r;
}

/* KVM when it is wanted and works, else emulation. */
static int run_all(struct run *run, const char *dir, struct err *err)
{
    const char *accel = run->opts->accel ? run->opts->accel : "auto";
    bool is_auto = strcmp(accel, "auto") == 0;
    enum look look = LOOK_ON;
    int r;

    run->kvm = is_auto ? boot_machine_has_kvm() : strcmp(accel, "kvm") == 0;
    run->may_fall_back = is_auto && run->kvm;
    r = run_once(run, dir, &look, err);
    if (run->may_fall_back && (r < 0 ? r != -EINTR : look == LOOK_NO_KVM)) {
        log_debug("KVM does not run this guest's kernel: emulating");
        boot_console_done(&run->console);
        err_clear(err);
        run->kvm = run->may_fall_back = false;
        r = run_once(run, dir, &look, err);
    }
    return r;
}

/* An empty file of the user's at @path, which must not be part of the guest. -1: no @path. */
static int open_output(const struct boot_opts *opts, const char *path, int *ret, struct err *err)
{
    CLEANUP_FD int fd = -1;
    int r;

    *ret = -1;
    if (!path)
        return 0;
    for (size_t i = 0; i < opts->n_images; i++)
        if (image_owns(opts->images[i], path))
            return err_status(err, STATUS_REFUSED, "%s is part of the guest: choose another name",
                              path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, errno, "create %s", path);
    r = invoker_own(fd, path, err);
    if (r == 0)
        *ret = TAKE_FD(fd);
    return r;
}

static char *make_dir(const char *work_dir)
{
    const char *tmp = getenv("TMPDIR");

    if (!work_dir)
        work_dir = tmp && *tmp ? tmp : "/var/tmp";
    return mem_printf("%s/h2k-boot.XXXXXX", work_dir);
}

int boot_test_run(const struct boot_opts *opts, struct boot_result *ret, struct err *err)
{
    CLEANUP_FD int log_fd = -1, picture_fd = -1;
    CLEANUP_FREE char *dir = make_dir(opts->work_dir);
    uint64_t start = io_now_ms();
    struct run run = { .opts = opts };
    int r = open_output(opts, opts->console, &log_fd, err);

    /* qemu writes the picture into what is there and leaves its owner and mode alone */
    if (r == 0)
        r = open_output(opts, opts->screenshot, &picture_fd, err);
    if (r < 0)
        return r;
    run.log_fd = log_fd;
    if (opts->timeout_s)
        run.deadline = start + (uint64_t)opts->timeout_s * 1000;
    if (!mkdtemp(dir))
        return err_set(err, errno, "make the folder %s", dir);
    r = run_all(&run, dir, err);
    (void)rmdir(dir);
    if (r == 0)
        *ret = (struct boot_result){
            .booted = !run.console.failed,
            .stage = run.console.stage,
            .reason = mem_strdup(run.console.reason),
            .accel = run.kvm ? "kvm" : "tcg",
            .ms = (unsigned)(io_now_ms() - start),
            .console_tail = boot_console_tail(&run.console, TAIL_LINES),
            .command_status = run.login.output ? run.login.status : -1,
            .command_output = mem_strdup(run.login.output),
        };
    boot_login_done(&run.login);
    boot_console_done(&run.console);
    return r;
}

void boot_result_done(struct boot_result *result)
{
    free(result->reason);
    free(result->console_tail);
    free(result->command_output);
    *result = (struct boot_result){ .booted = false };
}

json_t *boot_result_json(const struct boot_result *result, const struct boot_opts *opts)
{
    const unsigned tenths = result->ms / 100;
    json_t *document =
        json_pack("{s:s, s:b, s:s, s:o, s:f, s:s, s:s, s:s, s:o}", "schema", "h2k.boot-test/1",
                  "booted", result->booted, "stage", boot_stage_name(result->stage), "reason",
                  json_text(result->reason), "seconds", tenths / 10.0, "accel", result->accel,
                  "bus", opts->bus ? opts->bus : "virtio", "firmware", opts->uefi ? "uefi" : "bios",
                  "console_tail", json_text(result->console_tail));

    if (document && result->command_status >= 0)
        (void)json_object_set_new(document, "command",
                                  json_pack("{s:i, s:o}", "status", result->command_status,
                                            "output", json_text(result->command_output)));
    return document;
}
