/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/nbdnl.h"

#include <errno.h>
#include <linux/nbd-netlink.h>
#include <linux/nbd.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdbool.h>

struct channel {
    struct nl_sock *socket;
    int family;
    int index;  /* of the answer; -1: none yet */
    int status; /* 1 waiting, 0 acknowledged, negative errno */
};

static void channel_done(struct channel *channel)
{
    nl_socket_free(channel->socket);
}
#define CLEANUP_CHANNEL __attribute__((cleanup(channel_done)))

static void message_done(struct nl_msg **message)
{
    nlmsg_free(*message);
}
#define CLEANUP_MESSAGE __attribute__((cleanup(message_done)))

static int on_answer(struct nl_msg *message, void *arg)
{
    struct channel *channel = arg;
    const struct genlmsghdr *header = nlmsg_data(nlmsg_hdr(message));
    const struct nlattr *index = nlmsg_find_attr(nlmsg_hdr(message), GENL_HDRLEN, NBD_ATTR_INDEX);

    if (header->cmd == NBD_CMD_CONNECT && index && nla_len(index) >= (int)sizeof(uint32_t))
        channel->index = (int)nla_get_u32(index);
    return NL_OK;
}

static int on_ack(struct nl_msg *message, void *arg)
{
    (void)message;
    ((struct channel *)arg)->status = 0;
    return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
    (void)from;
    ((struct channel *)arg)->status = error->error;
    return NL_STOP;
}

static int lacking(struct err *err, int nl_error)
{
    return err_status(
        err, STATUS_HOST,
        "the nbd driver cannot be reached through netlink (%s): a container needs the "
        "host's network namespace and CAP_SYS_ADMIN of the host",
        nl_geterror(nl_error));
}

static int channel_open(struct channel *channel, struct err *err)
{
    int r;

    *channel = (struct channel){ .socket = nl_socket_alloc(), .index = -1, .status = 1 };
    if (!channel->socket)
        return err_set(err, ENOMEM, "make a netlink socket");
    r = genl_connect(channel->socket);
    if (r < 0)
        return lacking(err, r);
    channel->family = genl_ctrl_resolve(channel->socket, NBD_GENL_FAMILY_NAME);
    if (channel->family < 0)
        return lacking(err, channel->family);
    (void)nl_socket_modify_cb(channel->socket, NL_CB_VALID, NL_CB_CUSTOM, on_answer, channel);
    (void)nl_socket_modify_cb(channel->socket, NL_CB_ACK, NL_CB_CUSTOM, on_ack, channel);
    (void)nl_socket_modify_err_cb(channel->socket, NL_CB_CUSTOM, on_error, channel);
    return 0;
}

static struct nl_msg *new_message(const struct channel *channel, uint8_t command)
{
    struct nl_msg *message = nlmsg_alloc();

    if (message &&
        !genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, channel->family, 0, 0, command, 0)) {
        nlmsg_free(message);
        return NULL;
    }
    return message;
}

/* Send and wait for the acknowledgement; negative errno as the kernel gave it. */
static int call(struct channel *channel, struct nl_msg *message)
{
    int r = nl_send_auto(channel->socket, message);

    if (r < 0)
        return -EIO;
    while (channel->status > 0) {
        r = nl_recvmsgs_default(channel->socket);
        if (r < 0 && channel->status > 0)
            return -EIO;
    }
    return channel->status;
}

static int put_sockets(struct nl_msg *message, const struct nbdnl_connect *connect)
{
    struct nlattr *list = nla_nest_start(message, NBD_ATTR_SOCKETS);
    int r = list ? 0 : -ENOMEM;

    for (size_t i = 0; i < connect->n_sockets && r == 0; i++) {
        struct nlattr *item = nla_nest_start(message, NBD_SOCK_ITEM);

        r = item ? nla_put_u32(message, NBD_SOCK_FD, (uint32_t)connect->sockets[i]) : -ENOMEM;
        if (r == 0)
            (void)nla_nest_end(message, item);
    }
    if (r == 0)
        (void)nla_nest_end(message, list);
    return r;
}

int nbdnl_connect(const struct nbdnl_connect *connect, struct err *err)
{
    CLEANUP_CHANNEL struct channel channel = { 0 };
    CLEANUP_MESSAGE struct nl_msg *message = NULL;
    int r = channel_open(&channel, err);

    if (r < 0)
        return r;
    message = new_message(&channel, NBD_CMD_CONNECT);
    if (!message || nla_put_u64(message, NBD_ATTR_SIZE_BYTES, connect->size_bytes) < 0 ||
        nla_put_u64(message, NBD_ATTR_BLOCK_SIZE_BYTES, connect->block_size) < 0 ||
        nla_put_u64(message, NBD_ATTR_SERVER_FLAGS, connect->flags) < 0 ||
        nla_put_u64(message, NBD_ATTR_TIMEOUT, connect->timeout_s) < 0 ||
        nla_put_string(message, NBD_ATTR_BACKEND_IDENTIFIER, connect->identifier) < 0 ||
        put_sockets(message, connect) < 0)
        return err_set(err, ENOMEM, "make a netlink message");
    r = call(&channel, message);
    if (r == -EPERM || r == -EACCES)
        return lacking(err, -NLE_PERM);
    if (r < 0)
        return err_set(err, -r, "connect an nbd device");
    return channel.index >= 0 ? channel.index : err_set(err, EPROTO, "connect an nbd device");
}

int nbdnl_resize(unsigned index, const char *identifier, uint64_t size_bytes, struct err *err)
{
    CLEANUP_CHANNEL struct channel channel = { 0 };
    CLEANUP_MESSAGE struct nl_msg *message = NULL;
    int r = channel_open(&channel, err);

    if (r < 0)
        return r;
    message = new_message(&channel, NBD_CMD_RECONFIGURE);
    if (!message || nla_put_u32(message, NBD_ATTR_INDEX, index) < 0 ||
        nla_put_u64(message, NBD_ATTR_SIZE_BYTES, size_bytes) < 0 ||
        nla_put_string(message, NBD_ATTR_BACKEND_IDENTIFIER, identifier) < 0)
        return err_set(err, ENOMEM, "make a netlink message");
    r = call(&channel, message);
    return r < 0 ? err_set(err, -r, "set the size of /dev/nbd%u", index) : 0;
}

int nbdnl_disconnect_on_close(unsigned index, const char *identifier, struct err *err)
{
    CLEANUP_CHANNEL struct channel channel = { 0 };
    CLEANUP_MESSAGE struct nl_msg *message = NULL;
    int r = channel_open(&channel, err);

    if (r < 0)
        return r;
    message = new_message(&channel, NBD_CMD_RECONFIGURE);
    if (!message || nla_put_u32(message, NBD_ATTR_INDEX, index) < 0 ||
        nla_put_u64(message, NBD_ATTR_CLIENT_FLAGS, NBD_CFLAG_DISCONNECT_ON_CLOSE) < 0 ||
        nla_put_string(message, NBD_ATTR_BACKEND_IDENTIFIER, identifier) < 0)
        return err_set(err, ENOMEM, "make a netlink message");
    r = call(&channel, message);
    return r < 0 ? err_set(err, -r, "configure /dev/nbd%u", index) : 0;
}

int nbdnl_disconnect(unsigned index, struct err *err)
{
    CLEANUP_CHANNEL struct channel channel = { 0 };
    CLEANUP_MESSAGE struct nl_msg *message = NULL;
    int r = channel_open(&channel, err);

    if (r < 0)
        return r;
    message = new_message(&channel, NBD_CMD_DISCONNECT);
    if (!message || nla_put_u32(message, NBD_ATTR_INDEX, index) < 0)
        return err_set(err, ENOMEM, "make a netlink message");
    r = call(&channel, message);
    /* EINVAL, ENOENT: there is no such device, or it is not connected */
    return r < 0 && r != -EINVAL && r != -ENOENT ? err_set(err, -r, "disconnect /dev/nbd%u", index)
                                                 : 0;
}

int nbdnl_probe(struct err *err)
{
    CLEANUP_CHANNEL struct channel channel = { 0 };

    return channel_open(&channel, err);
}
