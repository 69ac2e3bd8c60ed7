/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/cleanup.h"
#include "engine/jail.h"
#include "engine/leftovers.h"

/* A rebuild takes seconds, in an emulated guest of another processor many minutes. */
#define RUN_TIMEOUT_MS (45U * 60 * 1000)
#define RUN_MEMORY (16ULL << 30) /* an emulator reserves address space for its guest */

void runs_last(struct plan *plan)
{
    struct change *sorted = mem_alloc((plan->n + 1) * sizeof(*sorted));
    size_t n = 0;

    for (int runs = 0; runs < 2; runs++)
        for (size_t i = 0; i < plan->n; i++)
            if ((plan->changes[i].action == CHANGE_RUN) == runs)
                sorted[n++] = plan->changes[i];
    if (n > 0)
        memcpy(plan->changes, sorted, n * sizeof(*sorted));
    free(sorted);
}

/* NULL-terminated; the strings stay the list's. */
static const char **as_array(const struct strlist *list)
{
    const char **array = mem_alloc((list->n + 1) * sizeof(*array));

    for (size_t i = 0; i < list->n; i++)
        array[i] = list->items[i];
    return array;
}

static int run_in_jail(const struct plan *plan, const struct run *run, int out_fd, struct err *err)
{
    CLEANUP_FREE const char **argv = as_array(&run->argv);
    CLEANUP_FREE const char **env = as_array(&run->env);
    CLEANUP_FREE struct jail_file *files = mem_alloc((run->paths.n + 1) * sizeof(*files));
    struct jail_opts opts = {
        .root = plan->root,
        .argv = argv,
        .env = env,
        .files = files,
        .n_files = run->paths.n,
        .out_fd = out_fd,
        .timeout_ms = RUN_TIMEOUT_MS,
        .limit_as = RUN_MEMORY,
    };

    for (size_t i = 0; i < run->paths.n; i++)
        files[i] = (struct jail_file){ run->paths.items[i], run->texts.items[i] };
    return jail_check(&opts, err);
}

/* The program may have left anything there: a link is followed inside the folder only. */
static int take_made(const struct plan *plan, const struct change *change, int out_fd,
                     struct err *err)
{
    const struct run *run = change->run;
    CLEANUP_FREE char *name = mem_printf("/%s", run->makes);
    struct guest_root *out = NULL;
    struct guest_piece piece = { .fd = -1 };
    CLEANUP_FD int fd = -1;
    struct stat st;
    int r = guest_root_new(out_fd, &out, err);

    if (r < 0)
        return r;
    fd = guest_open(out, name, err);
    guest_root_free(out);
    if (fd < 0)
        return err_wrap(err, "take what %s has made", run->argv.items[0]);
    if (fstat(fd, &st) < 0)
        return err_set(err, errno, "look at %s", run->makes);
    if (run->check && run->check(run, fd, (uint64_t)st.st_size, err) < 0)
        return err_wrap(err, "%s has made something else", run->argv.items[0]);
    piece.fd = fd;
    return guest_replace(plan->root, change->path, &piece, 1, &change->attr, err);
}

int run_program(const struct plan *plan, const struct change *change, struct err *err)
{
    const char *base = plan->session ? session_scratch_dir(plan->session) : "/var/tmp";
    CLEANUP_FREE char *folder = mem_printf("%s/run.XXXXXX", base);
    CLEANUP_FD int out_fd = -1;
    struct err other = ERR_NONE;
    int r;

    if (!mkdtemp(folder))
        return err_set(err, errno, "make %s", folder);
    out_fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    r = out_fd < 0 ? err_set(err, errno, "open %s", folder)
                   : run_in_jail(plan, change->run, out_fd, err);
    if (r == 0 && change->run->makes)
        r = take_made(plan, change, out_fd, err);
    if (leftovers_remove_tree(folder, r < 0 ? &other : err) < 0 && r == 0)
        r = -err->code;
    return r;
}
