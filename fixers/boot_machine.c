/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/boot_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/convert.h"

#define MONITOR_MAX (1U << 20)
#define MONITOR_WAIT_MS 60000U
#define FIRMWARE_MAX (64U << 20)

/* How disks hang on the machine. VMware's controllers belong to the older machine, as there. */
static const struct bus {
    const char *name;
    const char *machine;
    const char *controller; /* device "hba"; NULL: none of its own */
    const char *disk;
    const char *place; /* option of the disk that its number completes; NULL: none */
    const char *nic;
} buses[] = {
    { "virtio", "q35", NULL, "virtio-blk-pci", NULL, "virtio-net-pci" },
    { "virtio-scsi", "q35", "virtio-scsi-pci,id=hba", "scsi-hd",
      ",bus=hba.0,scsi-id=", "virtio-net-pci" },
    { "sata", "q35,sata=off", "ich9-ahci,id=hba", "ide-hd", ",bus=hba.", "vmxnet3" },
    { "ide", "pc", NULL, "ide-hd", ",bus=ide.", "vmxnet3" },
    { "pvscsi", "pc", "pvscsi,id=hba", "scsi-hd", ",bus=hba.0,scsi-id=", "vmxnet3" },
};

/* Where distributions keep the UEFI firmware: code, and the template of its variables. */
static const struct {
    const char *code, *vars;
    bool secure_boot; /* with Microsoft's keys */
} firmwares[] = {
    { "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd",
      false }, /* Debian, Ubuntu */
    { "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd", false },
    { "/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd",
      false }, /* Fedora, EL */
    { "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", true },
    { "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd",
      true },
};

static const char *const programs[] = { "qemu-system-x86_64", "/usr/libexec/qemu-kvm" };

static const struct bus *find_bus(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(buses); i++)
        if (strcmp(buses[i].name, name) == 0)
            return &buses[i];
    return NULL;
}

const char *boot_bus_find(const char *name)
{
    const struct bus *bus = find_bus(name);

    return bus ? bus->name : NULL;
}

/*
 * kvm_pvm runs kernels that were built for it only; a stock kernel hangs early. What else looks
 * like KVM and is not is found out by booting: see boot_test.c.
 */
bool boot_machine_has_kvm(void)
{
    CLEANUP_FD int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    return fd >= 0 && ioctl(fd, KVM_GET_API_VERSION, 0) == KVM_API_VERSION &&
           access("/sys/module/kvm_pvm", F_OK) != 0;
}

/* ---- the command line ---- */

static void add(struct strlist *args, const char *option, const char *value)
{
    strlist_add(args, option);
    if (value)
        strlist_add(args, value);
}

/* An overlay over @image, and the disk that uses it. */
static int add_disk(const struct boot_opts *opts, const struct bus *bus, size_t i, const char *dir,
                    struct strlist *args, struct err *err)
{
    CLEANUP_FREE char *overlay = mem_printf("%s/disk%zu.qcow2", dir, i);
    CLEANUP_FREE char *graph = image_qemu_json(opts->images[i]);
    uint32_t sector_size = opts->sector_sizes && opts->sector_sizes[i]
                               ? opts->sector_sizes[i]
                               : opts->images[i]->sector_size;
    CLEANUP_FREE char *place = NULL, *device = NULL, *text = NULL, *sectors = NULL;
    json_t *backing = graph ? json_loads(graph, 0, NULL) : NULL;
    json_t *node;
    int r;

    if (!backing)
        return err_set(err, EINVAL, "describe %s to qemu: is its name UTF-8?",
                       opts->images[i]->path);
    node = json_pack("{s:s, s:o, s:o, s:{s:s, s:s}, s:{s:b}, s:o}", "driver", "qcow2", "node-name",
                     json_sprintf("disk%zu", i), "backing", backing, "file", "driver", "file",
                     "filename", overlay, "cache", "no-flush", 1, "discard", json_string("unmap"));
    text = node ? json_dumps(node, JSON_COMPACT) : NULL;
    json_decref(node);
    if (!text)
        return err_set(err, EINVAL, "describe %s to qemu", overlay);
    r = convert_make_overlay(opts->images[i], overlay, err);
    if (r < 0)
        return err_wrap(err, "boot a copy of %s", opts->images[i]->path);
    if (bus->place)
        place = mem_printf("%s%zu", bus->place, i);
    if (sector_size > 512)
        sectors =
            mem_printf(",logical_block_size=%u,physical_block_size=%u", sector_size, sector_size);
    device = mem_printf("%s%s,drive=disk%zu%s%s", bus->disk, place ? place : "", i,
                        sectors ? sectors : "", i == 0 ? ",bootindex=1" : "");
    add(args, "-blockdev", text);
    add(args, "-device", device);
    return 0;
}

/* Variables that only the firmware changes are what makes Secure Boot secure. */
static void add_firmware_lock(struct strlist *args)
{
    add(args, "-machine", "smm=on");
    add(args, "-global", "driver=cfi.pflash01,property=secure,value=on");
}

/* UEFI with empty variables, or those with keys only, as a new machine has it. */
static int add_firmware(const char *dir, bool secure_boot, struct strlist *args, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(firmwares); i++) {
        CLEANUP_FREE char *vars = mem_printf("%s/vars.fd", dir);
        CLEANUP_FREE char *code_arg = NULL, *vars_arg = NULL, *data = NULL;
        size_t len = 0;
        int r;

        if (firmwares[i].secure_boot != secure_boot || access(firmwares[i].code, R_OK) != 0 ||
            access(firmwares[i].vars, R_OK) != 0)
            continue;
        r = io_read_file(firmwares[i].vars, FIRMWARE_MAX, &data, &len, err);
        if (r == 0)
            r = io_write_file(vars, data, len, 0600, err);
        if (r < 0)
            return r;
        code_arg = mem_printf("if=pflash,format=raw,readonly=on,unit=0,file=%s", firmwares[i].code);
        vars_arg = mem_printf("if=pflash,format=raw,unit=1,file=%s", vars);
        add(args, "-drive", code_arg);
        add(args, "-drive", vars_arg);
        if (secure_boot)
            add_firmware_lock(args);
        return 0;
    }
    return err_status(err, STATUS_HOST,
                      "no UEFI firmware here: install the package ovmf "
                      "(edk2-ovmf on Fedora and RHEL)");
}

/* The guest talks to nobody: it may be a copy of a running one. No option ROM: nobody waits for a
 * network boot. */
static void add_nic(const struct bus *bus, size_t i, const char *mac, struct strlist *args)
{
    CLEANUP_FREE char *net = mem_printf("user,id=net%zu,restrict=on", i);
    CLEANUP_FREE char *nic =
        mem_printf("%s,netdev=net%zu,romfile=%s%s", bus->nic, i, *mac ? ",mac=" : "", mac);

    add(args, "-netdev", net);
    add(args, "-device", nic);
}

enum { SERIAL, MONITOR, FIRMWARE, N_CHANNELS };

static int make_args(const struct boot_opts *opts, const char *accel, const char *dir,
                     const int guest_fds[N_CHANNELS], struct strlist *args, struct err *err)
{
    static const char *const fixed[] = { "-nodefaults", "-no-user-config",
                                         "-display",    "none",
                                         "-vga",        "std",
                                         "-m",          "1024",
                                         "-smp",        "2",
                                         "-device",     "virtio-rng-pci",
                                         "-serial",     "chardev:serial",
                                         "-mon",        "chardev=monitor,mode=control" };
    const struct bus *bus = find_bus(opts->bus ? opts->bus : "virtio");
    CLEANUP_FREE char *serial = mem_printf("socket,id=serial,fd=%d", guest_fds[SERIAL]);
    CLEANUP_FREE char *monitor = mem_printf("socket,id=monitor,fd=%d", guest_fds[MONITOR]);
    CLEANUP_FREE char *firmware = mem_printf("socket,id=firmware,fd=%d", guest_fds[FIRMWARE]);
    bool kvm = strcmp(accel, "kvm") == 0;
    int r = 0;

    if (!bus)
        return err_status(err, STATUS_USAGE, "there is no bus %s", opts->bus);
    for (size_t i = 0; i < ARRAY_SIZE(programs) && args->n == 0; i++)
        if (exec_have(programs[i]))
            strlist_add(args, programs[i]);
    if (args->n == 0)
        return err_status(err, STATUS_HOST, "no qemu here: install the package qemu-system-x86");
    add(args, "-M", bus->machine);
    add(args, "-accel", kvm ? "kvm" : "tcg,thread=multi,tb-size=512");
    add(args, "-cpu", kvm ? "host" : "max");
    add(args, "-chardev", serial);
    add(args, "-chardev", monitor);
    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
        strlist_add(args, fixed[i]);
    for (size_t i = 0; i < opts->macs.n || i == 0; i++)
        add_nic(bus, i, i < opts->macs.n ? opts->macs.items[i] : "", args);
    if (bus->controller)
        add(args, "-device", bus->controller);
    for (size_t i = 0; r == 0 && i < opts->n_images; i++)
        r = add_disk(opts, bus, i, dir, args, err);
    if (!opts->uefi) {
        add(args, "-chardev", firmware);
        add(args, "-device", "isa-debugcon,iobase=0x402,chardev=firmware");
    }
    if (r == 0 && opts->uefi)
        r = add_firmware(dir, opts->secure_boot, args, err);
    return r;
}

/* ---- the monitor (QMP: one JSON object per line) ---- */

static void count_reset(struct boot_machine *machine, const json_t *message)
{
    const char *event = json_string_value(json_object_get(message, "event"));
    const json_t *data = json_object_get(message, "data");

    if (event && strcmp(event, "RESET") == 0 && json_is_true(json_object_get(data, "guest")))
        machine->n_resets++;
}

/* The next complete message, NULL when there is none; new reference. */
static json_t *next_message(struct boot_machine *machine)
{
    struct strbuf *buf = &machine->monitor;
    char *end = buf->len > 0 ? memchr(buf->data, '\n', buf->len) : NULL;
    json_t *message;
    size_t used;

    if (!end)
        return NULL;
    used = (size_t)(end - buf->data) + 1;
    message = json_loadb(buf->data, used, 0, NULL);
    memmove(buf->data, buf->data + used, buf->len - used + 1);
    buf->len -= used;
    return message ? message : json_object();
}

/* Take what came; false at the end of the connection. */
static bool receive(struct boot_machine *machine)
{
    char piece[4096];
    ssize_t n = recv(machine->monitor_fd, piece, sizeof(piece), MSG_DONTWAIT);

    if (n > 0 && machine->monitor.len < MONITOR_MAX)
        strbuf_add(&machine->monitor, piece, (size_t)n);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

void boot_machine_listen(struct boot_machine *machine)
{
    json_t *message;

    (void)receive(machine);
    while ((message = next_message(machine)) != NULL) {
        count_reset(machine, message);
        json_decref(message);
    }
}

/* SeaBIOS, boot.c: "No bootable device.", with or without a time after which it tries again. */
bool boot_machine_found_nothing(struct boot_machine *machine)
{
    static const char sign[] = "No bootable device";
    char *text = machine->firmware;

    for (;;) {
        size_t len = strlen(text);
        ssize_t n;

        if (strstr(text, sign))
            return true;
        /* what may be the beginning of it */
        if (len >= sizeof(sign)) {
            memmove(text, text + len - sizeof(sign), sizeof(sign) + 1);
            len = sizeof(sign);
        }
        n = machine->firmware_fd < 0 ? -1
                                     : recv(machine->firmware_fd, text + len,
                                            sizeof(machine->firmware) - len - 1, MSG_DONTWAIT);
        if (n <= 0)
            return false;
        for (ssize_t i = 0; i < n; i++)
            if (text[len + (size_t)i] == '\0')
                text[len + (size_t)i] = ' ';
        text[len + (size_t)n] = '\0';
    }
}

/* Wait for the answer to a command; events in between are counted. */
static int wait_answer(struct boot_machine *machine, const char *what, struct err *err)
{
    uint64_t deadline = io_now_ms() + MONITOR_WAIT_MS;
    struct pollfd poll_fd = { .fd = machine->monitor_fd, .events = POLLIN };

    while (io_now_ms() < deadline) {
        json_t *message = next_message(machine);
        const json_t *error = json_object_get(message, "error");
        bool answered = error || json_object_get(message, "return");
        int r = 0;

        if (!message) {
            (void)poll(&poll_fd, 1, 1000);
            if (!receive(machine))
                return err_set(err, EPIPE, "%s: qemu is gone", what);
            continue;
        }
        count_reset(machine, message);
        if (error)
            r = err_set(err, EPROTO, "%s: %s", what,
                        json_string_value(json_object_get(error, "desc")));
        json_decref(message);
        if (answered)
            return r;
    }
    return err_set(err, ETIMEDOUT, "%s: no answer from qemu", what);
}

/* Takes the reference. */
static int command(struct boot_machine *machine, const char *what, json_t *request, struct err *err)
{
    CLEANUP_FREE char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    int r = text ? io_write_full(machine->monitor_fd, text, strlen(text)) : -EINVAL;

    json_decref(request);
    if (r < 0)
        return err_set(err, -r, "%s", what);
    return wait_answer(machine, what, err);
}

int boot_machine_screenshot(struct boot_machine *machine, const char *path, struct err *err)
{
    return command(machine, "take a picture of the screen",
                   json_pack("{s:s, s:{s:s, s:s}}", "execute", "screendump", "arguments",
                             "filename", path, "format", "png"),
                   err);
}

/* ---- start and stop ---- */

static void remove_files(const char *dir, size_t n_disks)
{
    CLEANUP_FREE char *vars = mem_printf("%s/vars.fd", dir);

    (void)unlink(vars);
    for (size_t i = 0; i < n_disks; i++) {
        CLEANUP_FREE char *overlay = mem_printf("%s/disk%zu.qcow2", dir, i);

        (void)unlink(overlay);
    }
}

static int start(const struct strlist *args, const int keep[N_CHANNELS],
                 struct boot_machine *machine, struct err *err)
{
    CLEANUP_FREE const char **argv = mem_alloc((args->n + 1) * sizeof(*argv));
    struct exec_opts exec = {
        .argv = argv, .package = "qemu-system-x86", .keep_fds = keep, .n_keep_fds = N_CHANNELS
    };

    for (size_t i = 0; i < args->n; i++)
        argv[i] = args->items[i];
    return process_start(&exec, &machine->process, err);
}

static int start_failed(struct boot_machine *machine, struct err *err)
{
    CLEANUP_STRBUF struct strbuf said = { 0 };

    process_stderr(&machine->process, &said);
    if (said.len == 0)
        return -err->code;
    err_clear(err);
    return err_set(err, EPROTO, "start qemu: %s", said.data);
}

int boot_machine_start(const struct boot_opts *opts, const char *accel, const char *dir,
                       struct boot_machine *ret, struct err *err)
{
    CLEANUP_STRLIST struct strlist args = { 0 };
    int *const ours[N_CHANNELS] = { &ret->serial_fd, &ret->monitor_fd, &ret->firmware_fd };
    int theirs[N_CHANNELS] = { -1, -1, -1 };
    int r = 0;

    *ret = (struct boot_machine){ .process = { .pidfd = -1, .err_fd = -1 },
                                  .serial_fd = -1,
                                  .monitor_fd = -1,
                                  .firmware_fd = -1 };
    for (size_t i = 0; r == 0 && i < N_CHANNELS; i++) {
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
            r = err_set(err, errno, "make a socket for the console");
            break;
        }
        *ours[i] = ends[0];
        theirs[i] = ends[1];
    }
    if (r == 0)
        r = make_args(opts, accel, dir, theirs, &args, err);
    if (r == 0)
        r = start(&args, theirs, ret, err);
    for (size_t i = 0; i < N_CHANNELS; i++)
        if (theirs[i] >= 0)
            (void)close(theirs[i]);
    /* its answer means that the machine is built and all files are open */
    if (r == 0 &&
        command(ret, "start qemu", json_pack("{s:s}", "execute", "qmp_capabilities"), err) < 0)
        r = start_failed(ret, err);
    remove_files(dir, opts->n_images);
    return r;
}

void boot_machine_stop(struct boot_machine *machine)
{
    CLEANUP_STRBUF struct strbuf said = { 0 };

    process_stderr(&machine->process, &said);
    if (said.len)
        log_debug("qemu: %s", said.data);
    (void)process_stop(&machine->process, 3000);
    if (machine->serial_fd >= 0)
        (void)close(machine->serial_fd);
    if (machine->monitor_fd >= 0)
        (void)close(machine->monitor_fd);
    if (machine->firmware_fd >= 0)
        (void)close(machine->firmware_fd);
    strbuf_done(&machine->monitor);
    machine->serial_fd = machine->monitor_fd = machine->firmware_fd = -1;
}
