/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/guest_labels.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <selinux/label.h>
#include <selinux/selinux.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/signals.h"
#include "engine/guest_path.h"

#define FOLDER "/etc/selinux/%s/contexts/files/%s"
#define LABEL_MAX 4096
#define TEXT_MAX (4U << 20) /* ten times what distributions have */
#define CPU_SECONDS 30
#define ANSWER_MS 30000

struct guest_labels {
    pid_t pid;
    int socket;
};

struct question {
    mode_t mode;
    char path[PATH_MAX];
};

/* Texts, each with a line break at its end. */
struct policy {
    struct strbuf contexts, subs, subs_dist;
};

static void policy_done(struct policy *policy)
{
    strbuf_done(&policy->contexts);
    strbuf_done(&policy->subs);
    strbuf_done(&policy->subs_dist);
}

/* ---- the child ---- */

/* "ALIAS TARGET" lines: what lies below ALIAS is labelled as what lies below TARGET. */
static char *substitute(const char *subs, const char *path)
{
    for (const char *line = subs; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char alias[PATH_MAX], target[PATH_MAX];
        size_t len;

        if (sscanf(line, "%4095[^# \t\n] %4095[^ \t\n]", alias, target) != 2)
            continue;
        len = strlen(alias);
        if (strncmp(path, alias, len) == 0 && (path[len] == '/' || path[len] == '\0'))
            return mem_printf("%s%s", target, path + len);
    }
    return mem_strdup(path);
}

static __attribute__((format(printf, 2, 3))) int be_silent(int type, const char *fmt, ...)
{
    (void)type;
    (void)fmt;
    return 0;
}

/* libselinux reads a file; it is ours alone and begins as no compiled form does. */
static struct selabel_handle *open_contexts(const char *contexts)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FD int fd = memfd_create("file_contexts", MFD_CLOEXEC);
    struct selinux_opt options[] = { { SELABEL_OPT_PATH, NULL } };

    selinux_set_callback(SELINUX_CB_LOG, (union selinux_callback){ .func_log = be_silent });
    path = mem_printf("/proc/self/fd/%d", fd);
    options[0].value = path;
    if (fd < 0 || io_write_full(fd, "#\n", 2) < 0 ||
        io_write_full(fd, contexts, strlen(contexts)) < 0)
        return NULL;
    return selabel_open(SELABEL_CTX_FILE, options, ARRAY_SIZE(options));
}

/* An empty answer: the policy says nothing. The first one says whether it could be read. */
static void answer_all(int socket, struct selabel_handle *handle, const struct policy *policy)
{
    struct question question;

    if (send(socket, handle ? "+" : "", handle ? 1 : 0, MSG_NOSIGNAL) < 0 || !handle)
        return;
    while (recv(socket, &question, sizeof(question), 0) == sizeof(question)) {
        CLEANUP_FREE char *first = substitute(strbuf_text(&policy->subs), question.path);
        CLEANUP_FREE char *path = substitute(strbuf_text(&policy->subs_dist), first);
        char *label = NULL;

        if (selabel_lookup_raw(handle, &label, path, (int)question.mode) < 0)
            label = NULL;
        if (send(socket, label ? label : "", label ? strlen(label) : 0, MSG_NOSIGNAL) < 0)
            return;
        freecon(label);
    }
}

static __attribute__((noreturn)) void child(int socket, const struct policy *policy, pid_t parent)
{
    const struct rlimit cpu = { .rlim_cur = CPU_SECONDS, .rlim_max = CPU_SECONDS };
    const struct rlimit no_core = { 0 };

    signals_reset_in_child();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
        setrlimit(RLIMIT_CPU, &cpu) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0 ||
        dup2(socket, STDIN_FILENO) < 0)
        _exit(1);
    (void)close_range(STDERR_FILENO + 1, ~0U, 0); /* the guest's root among them */
    answer_all(STDIN_FILENO, open_contexts(strbuf_text(&policy->contexts)), policy);
    _exit(0);
}

/* ---- the parent ---- */

static int read_file(const struct guest_root *root, const char *policy, const char *name,
                     struct strbuf *ret, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf(FOLDER, policy, name);
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = guest_read(root, path, TEXT_MAX, &text, &len, err);

    if (r == 0)
        strbuf_puts(ret, text); /* up to the first zero byte: no text has one */
    strbuf_putc(ret, '\n');
    return r;
}

static int read_policy(const struct guest_root *root, const char *name, struct policy *ret,
                       struct err *err)
{
    const struct {
        const char *name;
        struct strbuf *text;
    } more[] = {
        /* in the order of libselinux: of two lines that fit, the later one counts */
        { "file_contexts.homedirs", &ret->contexts },
        { "file_contexts.local", &ret->contexts },
        { "file_contexts.subs", &ret->subs },
        { "file_contexts.subs_dist", &ret->subs_dist },
    };
    int r;

    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/'))
        return err_set(err, EINVAL, "\"%s\" is no name of a policy", name);
    r = read_file(root, name, "file_contexts", &ret->contexts, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(more); i++) {
        struct err missing = ERR_NONE;

        (void)read_file(root, name, more[i].name, more[i].text, &missing);
    }
    return r;
}

/* The next answer: its length, 0 for "nothing"; -1: there will be none any more. */
static ssize_t take_answer(const struct guest_labels *labels, char *buf, size_t size)
{
    struct pollfd polls[] = {
        { .fd = labels->socket, .events = POLLIN },
        { .fd = signals_fd(), .events = POLLIN }, /* -1 is passed over */
    };
    int r;

    do
        r = poll(polls, ARRAY_SIZE(polls), ANSWER_MS);
    while (r < 0 && errno == EINTR && !signals_pending());
    if (r <= 0 || !polls[0].revents)
        return -1;
    return recv(labels->socket, buf, size, 0);
}

int guest_labels_use(struct guest_root *root, const char *name, struct err *err)
{
    CLEANUP(policy_done) struct policy policy = { 0 };
    int sockets[2], r = read_policy(root, name, &policy, err);
    pid_t parent = getpid();
    struct guest_labels *labels;
    char first;

    if (r < 0)
        return r;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return err_set(err, errno, "make a socket");
    labels = mem_alloc(sizeof(*labels));
    labels->socket = sockets[0];
    labels->pid = fork();
    if (labels->pid == 0)
        child(sockets[1], &policy, parent);
    (void)close(sockets[1]);
    if (labels->pid < 0 || take_answer(labels, &first, 1) != 1) {
        guest_labels_free(labels);
        return err_set(err, EPROTO, "understand the guest's SELinux policy %s", name);
    }
    guest_labels_free(root->labels);
    root->labels = labels;
    return 0;
}

bool guest_labels_are_used(const struct guest_root *root)
{
    return root->labels;
}

void guest_labels_free(struct guest_labels *labels)
{
    if (!labels)
        return;
    (void)close(labels->socket);
    if (labels->pid > 0) {
        (void)kill(labels->pid, SIGKILL);
        while (waitpid(labels->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    free(labels);
}

/* Does it look as "user:role:type:level" does? It goes to the host's kernel. */
static bool is_plain(const char *label, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (label[i] <= ' ' || label[i] > '~')
            return false;
    return len > 0;
}

char *guest_labels_find(const struct guest_root *root, const char *folder, const char *name,
                        mode_t mode)
{
    const struct guest_labels *labels = root->labels;
    CLEANUP_FREE char *real = NULL;
    struct err err = ERR_NONE;
    struct question question = { .mode = mode & S_IFMT };
    char label[LABEL_MAX];
    ssize_t len;

    if (!labels || guest_real_path(root, folder, &real, &err) < 0)
        return NULL;
    len = snprintf(question.path, sizeof(question.path), "%s/%s",
                   strcmp(real, "/") == 0 ? "" : real, name);
    if (len < 0 || (size_t)len >= sizeof(question.path) ||
        send(labels->socket, &question, sizeof(question), MSG_NOSIGNAL) < 0)
        return NULL;
    len = take_answer(labels, label, sizeof(label));
    if (len < 0)
        log_debug("%s: the policy gives no answer", question.path);
    return len > 0 && is_plain(label, (size_t)len) ? mem_strndup(label, (size_t)len) : NULL;
}
