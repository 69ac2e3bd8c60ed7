/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handshake with a real qemu-nbd, and with servers that say something else. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/nbdproto.h"

static int from_fd(void *arg, void *data, size_t len)
{
    return io_read_full(*(int *)arg, data, len);
}

static int to_fd(void *arg, const void *data, size_t len)
{
    return io_write_full(*(int *)arg, data, len);
}

/* qemu-nbd serves its standard input's socket by systemd's socket activation. */
static void start_real_server(const char *image, const char *mode, int listening,
                              struct process *ret)
{
    char script[512];
    struct err err = ERR_NONE;
    const char *const argv[] = { "sh", "-c", script, NULL };
    const struct exec_opts opts = { .argv = argv, .keep_fds = &listening, .n_keep_fds = 1 };

    (void)snprintf(script, sizeof(script),
                   "exec 3<&%d; export LISTEN_FDS=1 LISTEN_PID=$$; exec qemu-nbd -f raw %s %s",
                   listening, mode, image);
    assert_int_equal(process_start(&opts, ret, &err), 0);
}

static void a_real_server_tells_size_and_flags(void **state)
{
    static const struct {
        const char *mode;
        unsigned set, clear;
    } rows[] = {
        { "--shared=1", 0, NBDPROTO_READ_ONLY },
        { "--shared=4 --read-only", NBDPROTO_READ_ONLY | NBDPROTO_MULTI_CONN, 0 },
    };
    char folder[] = "/tmp/h2k-nbdproto.XXXXXX";
    char *image, *name;

    (void)state;
    if (!exec_have("qemu-nbd"))
        skip();
    assert_non_null(mkdtemp(folder));
    image = mem_printf("%s/disk", folder);
    name = mem_printf("%s/socket", folder);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct nbdproto_stream stream = { .read = from_fd, .write = to_fd, .arg = &fd };
        struct nbdproto_export export = { 0 };
        struct process server = { 0 };
        struct err err = ERR_NONE;
        int file = creat(image, 0600);
        char block[512];

        assert_int_equal(ftruncate(file, 3 << 20), 0);
        assert_int_equal(pwrite(file, "hello", 5, 4100), 5);
        (void)close(file);
        (void)unlink(name);
        memcpy(address.sun_path, name, strlen(name) + 1);
        assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(listening, 1), 0);
        start_real_server(image, rows[i].mode, listening, &server);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(nbdproto_go(&stream, &export, &err), 0);
        assert_int_equal(export.size_bytes, 3 << 20);
        assert_int_equal(export.flags & rows[i].set, rows[i].set);
        assert_int_equal(export.flags & rows[i].clear, 0);
        assert_int_equal(nbdproto_read(&stream, 4096, block, sizeof(block), &err), 0);
        assert_string_equal(block + 4, "hello");
        assert_int_equal(nbdproto_read(&stream, 4 << 20, block, sizeof(block), &err), -EIO);
        (void)close(fd);
        (void)close(listening);
        (void)process_stop(&server, 5000);
    }
    (void)unlink(name);
    (void)unlink(image);
    assert_int_equal(rmdir(folder), 0);
    free(image);
    free(name);
}

/* ---- a server that is a text ---- */

struct text {
    const char *data;
    size_t len;
};

static int from_text(void *arg, void *data, size_t len)
{
    struct text *text = arg;

    if (len > text->len)
        return -ECONNRESET;
    memcpy(data, text->data, len);
    text->data += len;
    text->len -= len;
    return 0;
}

static int to_nowhere(void *arg, const void *data, size_t len)
{
    (void)arg;
    (void)data;
    (void)len;
    return 0;
}

#define HELLO "NBDMAGICIHAVEOPT\0\3"
#define REPLY "\0\3\xe8\x89\x04\x55\x65\xa9\0\0\0\7"
#define EXPORT REPLY "\0\0\0\3\0\0\0\x0c\0\0\0\0\0\0\0\x10\0\0\1\3"
#define ACK REPLY "\0\0\0\1\0\0\0\0"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static int go(const struct text *server, struct nbdproto_export *export, struct err *err)
{
    struct text text = *server;
    struct nbdproto_stream stream = { .read = from_text, .write = to_nowhere, .arg = &text };

    return nbdproto_go(&stream, export, err);
}

static void the_answer_is_read(void **state)
{
    static const struct text good = TEXT(HELLO EXPORT ACK);
    /* an information that we do not know comes in between */
    static const struct text more = TEXT(HELLO REPLY "\0\0\0\3\0\0\0\4\0\3\0\0" EXPORT ACK);
    struct nbdproto_export export = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(go(&good, &export, &err), 0);
    assert_int_equal(export.size_bytes, 1 << 20);
    assert_int_equal(export.flags, 0x103);
    assert_int_equal(go(&more, &export, &err), 0);
}

static void other_answers_are_errors(void **state)
{
    static const struct {
        struct text text;
        int code;
        const char *says;
    } rows[] = {
        { TEXT(""), ECONNRESET, "greeting" },
        { TEXT("HTTP/1.1 400 Bad Request\r\n"), EPROTO, "newstyle" },
        { TEXT("NBDMAGICIHAVEOPT\0\2"), EPROTO, "newstyle" },
        { TEXT(HELLO), ECONNRESET, "reply" },
        { TEXT(HELLO ACK), EPROTO, "size" },
        { TEXT(HELLO EXPORT), ECONNRESET, "reply" },
        { TEXT(HELLO REPLY "\x80\0\0\6\0\0\0\5nope!"), EPROTO, "error 6): nope!" },
        { TEXT(HELLO REPLY "\0\0\0\3\xff\xff\xff\xff"), EPROTO, "none to our request" },
        { TEXT(HELLO "\0\3\xe8\x89\x04\x55\x65\xaa\0\0\0\7\0\0\0\1\0\0\0\0"), EPROTO, "none to" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct nbdproto_export export = { 0 };
        struct err err = ERR_NONE;
        char text[ERR_TEXT];

        assert_int_equal(go(&rows[i].text, &export, &err), -rows[i].code);
        assert_non_null(strstr(err_text(&err, text, sizeof(text)), rows[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_server_tells_size_and_flags),
        cmocka_unit_test(the_answer_is_read),
        cmocka_unit_test(other_answers_are_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
