/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program in a jail may not do: the capabilities and the system calls that it does not get.
 * Either would do for most of it; a mistake in one is not the end. */
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "engine/base/cleanup.h"
#include "engine/jail_parts.h"

/* ---- capabilities(7) ---- */

/* What concerns files, users and processes that the jail holds. Device nodes can be made, but are
 * opened nowhere (nodev). CAP_DAC_READ_SEARCH is not here: it opens files by their handles. */
static const cap_value_t kept[] = {
    CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID,  CAP_KILL,
    CAP_MKNOD, CAP_SETGID,       CAP_SETUID, CAP_SETFCAP, CAP_SYS_CHROOT,
};

static bool is_kept(cap_value_t cap)
{
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
        if (kept[i] == cap)
            return true;
    return false;
}

static int drop_capabilities(void)
{
    cap_t caps = cap_init();
    int r = 0;

    if (!caps)
        return -ENOMEM;
    for (cap_value_t cap = 0; r == 0 && CAP_IS_SUPPORTED(cap); cap++)
        if (!is_kept(cap) && cap_drop_bound(cap) < 0)
            r = -errno;
    if (r == 0 && (cap_set_flag(caps, CAP_PERMITTED, (int)ARRAY_SIZE(kept), kept, CAP_SET) < 0 ||
                   cap_set_flag(caps, CAP_EFFECTIVE, (int)ARRAY_SIZE(kept), kept, CAP_SET) < 0 ||
                   cap_set_proc(caps) < 0))
        r = -errno;
    (void)cap_free(caps);
    return r;
}

/* ---- seccomp(2) ---- */

/* By name: what this libseccomp does not know is left to the capabilities. */
static const char *const denied[] = {
    "_sysctl",
    "acct",
    "add_key",
    "adjtimex",
    "bpf",
    "clock_adjtime",
    "clock_adjtime64",
    "clock_settime",
    "clock_settime64",
    "create_module",
    "delete_module",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "open_tree_attr",
    "perf_event_open",
    "pidfd_getfd",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "quotactl_fd",
    "reboot",
    "request_key",
    "setdomainname",
    "sethostname",
    "setns",
    "settimeofday",
    "stime",
    "swapoff",
    "swapon",
    "syslog",
    "umount",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "vhangup",
};

static const unsigned long namespaces[] = { CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWUTS,
                                            CLONE_NEWIPC, CLONE_NEWUSER,   CLONE_NEWPID,
                                            CLONE_NEWNET };

/* The only kinds that belong to the jail's own network namespace and are asked for by programs. */
static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

static const unsigned long terminal_ioctls[] = { TIOCSTI, TIOCLINUX };

static bool is_family(int family)
{
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (families[i] == family)
            return true;
    return false;
}

static int deny_calls(scmp_filter_ctx filter)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(denied); i++) {
        int number = seccomp_syscall_resolve_name(denied[i]);

        if (number != __NR_SCMP_ERROR)
            r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
    }
    /* its flags are in memory and cannot be looked at: the C library takes clone instead */
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return r;
}

/* Refuse @call with @code where its argument number @arg, masked with @mask, is @value. */
static int deny_value(scmp_filter_ctx filter, int code, int call, unsigned arg, uint64_t mask,
                      uint64_t value)
{
    const struct scmp_arg_cmp is = {
        .arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value
    };

    return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint32_t)code), call, 1, &is);
}

static int deny_arguments(scmp_filter_ctx filter)
{
    const uint64_t whole = 0xffffffffU;
    const struct scmp_arg_cmp is_new = { .arg = 0, .op = SCMP_CMP_GT, .datum_a = AF_MAX };
    int r =
        seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, &is_new);

    for (int family = 0; r == 0 && family <= AF_MAX; family++)
        if (!is_family(family))
            r = deny_value(filter, EAFNOSUPPORT, SCMP_SYS(socket), 0, whole, (uint64_t)family);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(namespaces); i++)
        r = deny_value(filter, EPERM, SCMP_SYS(clone), 0, namespaces[i], namespaces[i]);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(terminal_ioctls); i++)
        r = deny_value(filter, EPERM, SCMP_SYS(ioctl), 1, whole, terminal_ioctls[i]);
    return r;
}

/* 32-bit programs of a guest meet the same filter. */
static int add_architectures(scmp_filter_ctx filter)
{
    int r = 0;

    if (seccomp_arch_native() == SCMP_ARCH_X86_64)
        r = seccomp_arch_add(filter, SCMP_ARCH_X86);
    else if (seccomp_arch_native() == SCMP_ARCH_AARCH64)
        r = seccomp_arch_add(filter, SCMP_ARCH_ARM);
    return r == -EEXIST ? 0 : r;
}

static int filter_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int r = filter ? add_architectures(filter) : -ENOMEM;

    if (r == 0)
        r = deny_calls(filter);
    if (r == 0)
        r = deny_arguments(filter);
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    return r;
}

/* ---- all of it ---- */

int jail_lock(const char **ret_step)
{
    const gid_t group = 0;
    int r;

    *ret_step = "set the groups";
    if (setgroups(1, &group) < 0)
        return -errno;
    *ret_step = "forbid new privileges";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -errno;
    *ret_step = "drop capabilities";
    r = drop_capabilities();
    if (r < 0)
        return r;
    *ret_step = "filter system calls (libseccomp)";
    return filter_calls();
}

void jail_limit(const struct jail_opts *opts)
{
    const struct {
        __rlimit_resource_t which;
        rlim_t value;
    } limits[] = {
        { RLIMIT_CORE, 0 },
        { RLIMIT_FSIZE, (rlim_t)4 << 30 },
        { RLIMIT_NOFILE, 4096 }, /* some close all that could be open */
        { RLIMIT_NPROC, 1000 },  /* of users other than root */
        { RLIMIT_MEMLOCK, 1 << 20 },
        { RLIMIT_AS, opts->limit_as ? (rlim_t)opts->limit_as : RLIM_INFINITY },
    };

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        const struct rlimit limit = { .rlim_cur = limits[i].value, .rlim_max = limits[i].value };

        (void)setrlimit(limits[i].which, &limit);
    }
}
