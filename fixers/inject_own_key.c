/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public key of the user who runs h2k, chosen as ssh-copy-id(1) does. */
#include <fnmatch.h>
#include <glob.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/invoker.h"
#include "fixers/injections.h"

/* Of the user behind sudo, else of this one. NULL: it is not known. Free it. */
static char *home_folder(void)
{
    uid_t uid = getuid();
    gid_t gid;
    bool is_other = invoker_ids(&uid, &gid);
    const char *home = is_other ? NULL : getenv("HOME");
    const struct passwd *entry = home && *home ? NULL : getpwuid(uid);

    if (home && *home)
        return mem_strdup(home);
    return entry ? mem_strdup(entry->pw_dir) : NULL;
}

int inject_own_key(char **ret_path, struct err *err)
{
    CLEANUP_FREE char *home = home_folder();
    CLEANUP_FREE char *pattern = home ? mem_printf("%s/.ssh/id*.pub", home) : NULL;
    struct timespec newest = { 0 };
    glob_t found = { 0 };

    *ret_path = NULL;
    if (pattern && glob(pattern, 0, NULL, &found) != 0)
        found.gl_pathc = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        struct stat st;

        if (fnmatch("*-cert.pub", path, 0) == 0 || stat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
            (*ret_path &&
             (st.st_mtim.tv_sec < newest.tv_sec ||
              (st.st_mtim.tv_sec == newest.tv_sec && st.st_mtim.tv_nsec <= newest.tv_nsec))))
            continue;
        newest = st.st_mtim;
        free(*ret_path);
        *ret_path = mem_strdup(path);
    }
    globfree(&found);
    if (*ret_path)
        return 0;
    return err_status(err, STATUS_USAGE,
                      "there is no %s: say which key with USER:file:FILE or USER:string:KEY",
                      pattern ? pattern : "home with a key");
}
